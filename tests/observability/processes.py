"""Prometheus, Alertmanager and Pushgateway of Debian as processes on loopback, ended with the test."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import servers
from tests.conftest import free_port

#: What must be installed, by the names of Debian's packages.
TOOLS = ("promtool", "prometheus", "prometheus-alertmanager", "amtool", "prometheus-pushgateway")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a tool is absent."""
    absent = [one for one in tools if shutil.which(one) is None]
    return pytest.mark.skipif(
        bool(absent), reason=f"{', '.join(absent)} not installed: run tools/install_servers.sh as root"
    )


@contextlib.contextmanager
def serving(folder: Path, address: str, *command: str) -> Iterator[str]:
    """One of them in a folder, from the moment it is ready until the block ends; yields its URL."""
    url = f"http://{address}"
    log = folder / f"{command[0]}.log"
    with servers.running(command, log, lambda: servers.answers(f"{url}/-/ready"), cwd=folder):
        yield url


@contextlib.contextmanager
def pushgateway(folder: Path) -> Iterator[str]:
    """A Pushgateway; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    # Debian's default keeps what was pushed in a file of the system.
    command = ("prometheus-pushgateway", f"--web.listen-address={address}", "--persistence.file=")
    with serving(folder, address, *command) as url:
        yield url


@contextlib.contextmanager
def alertmanager(folder: Path, *webhooks: str, key: str = "") -> Iterator[str]:
    """An Alertmanager that sends everything to every webhook; yields its address.

    Args:
        folder: Where its configuration and data lie.
        webhooks: Addresses to post to.
        key: API key that it presents there.
    """
    address = f"127.0.0.1:{free_port()}"
    settings = folder / "alertmanager.yml"
    presented = {"http_config": {"authorization": {"credentials": key}}} if key else {}
    hooks = [{"url": one, **presented} for one in webhooks]
    route = {"receiver": "twinstack", "group_by": ["alertname", "twin"], "repeat_interval": "1h"}
    settings.write_text(
        yaml.safe_dump(
            {
                "route": {**route, "group_wait": "100ms", "group_interval": "500ms"},
                "receivers": [{"name": "twinstack", "webhook_configs": hooks}],
            }
        )
    )
    command = (
        "prometheus-alertmanager",
        f"--config.file={settings}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    with serving(folder, address, *command) as url:
        yield url


@contextlib.contextmanager
def prometheus(folder: Path, rules: Mapping[str, str], targets: Sequence[str], alerts: str) -> Iterator[str]:
    """A Prometheus that scrapes and evaluates five times a second; yields its address.

    Args:
        folder: Where its configuration and data lie.
        rules: Name and text of rule files.
        targets: Addresses to scrape.
        alerts: Address of the Alertmanager.
    """
    address = f"127.0.0.1:{free_port()}"
    for name, text in rules.items():
        (folder / name).write_text(text)
    settings = folder / "prometheus.yml"
    often = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
    hosts = [target.removeprefix("http://") for target in targets]
    settings.write_text(
        yaml.safe_dump(
            {
                "global": often,
                "rule_files": sorted(rules),
                "alerting": {
                    "alertmanagers": [{"static_configs": [{"targets": [alerts.removeprefix("http://")]}]}]
                },
                "scrape_configs": [
                    {"job_name": "twins", "honor_labels": True, "static_configs": [{"targets": hosts}]}
                ],
            }
        )
    )
    command = (
        "prometheus",
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--rules.alert.resend-delay=1s",
    )
    with serving(folder, address, *command) as url:
        yield url


Seen = dict[str, dict[tuple[str, str], float]]


def seen(gateway: str) -> Seen:
    """Series of ours by name, and by twin and step."""
    found: Seen = {}
    for family in text_string_to_metric_families(httpx.get(f"{gateway}/metrics", trust_env=False).text):
        for one in family.samples:
            if one.name.startswith("twinstack_"):
                assert one.labels["job"] == "twinstack"
                assert one.labels["namespace"] == "twinstack"
                assert set(one.labels) == {"job", "instance", "namespace", "twin", "step"}
                found.setdefault(one.name, {})[one.labels["twin"], one.labels["step"]] = one.value
    return found
