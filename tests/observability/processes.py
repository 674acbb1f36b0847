"""Prometheus, Alertmanager and Pushgateway of Debian as processes on loopback, ended with the test."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
import yaml

from tests.conftest import free_port, until

#: What must be installed, by the names of Debian's packages.
TOOLS = ("promtool", "prometheus", "prometheus-alertmanager", "amtool", "prometheus-pushgateway")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a tool is absent."""
    absent = [one for one in tools if shutil.which(one) is None]
    return pytest.mark.skipif(
        bool(absent), reason=f"{', '.join(absent)} not installed: run tools/install_servers.sh as root"
    )


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, ready: str) -> Iterator[None]:
    """A process until the end of the block.

    Args:
        command: What to start.
        folder: Where it runs and logs.
        ready: Address that answers 200 once it is ready.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file)

    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(f"{command[0]} stopped: {log.read_text()[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(ready, timeout=2, trust_env=False).status_code == 200
        return False

    try:
        until(answers, 30, f"readiness of {command[0]}")
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextlib.contextmanager
def pushgateway(folder: Path) -> Iterator[str]:
    """A Pushgateway; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    # Debian's default keeps what was pushed in a file of the system.
    command = ["prometheus-pushgateway", f"--web.listen-address={address}", "--persistence.file="]
    with running(command, folder, f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextlib.contextmanager
def alertmanager(folder: Path, *webhooks: str) -> Iterator[str]:
    """An Alertmanager that sends everything to every webhook; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    settings = folder / "alertmanager.yml"
    route = {"receiver": "twinstack", "group_by": ["alertname", "twin"], "repeat_interval": "1h"}
    settings.write_text(
        yaml.safe_dump(
            {
                "route": {**route, "group_wait": "100ms", "group_interval": "500ms"},
                "receivers": [{"name": "twinstack", "webhook_configs": [{"url": one} for one in webhooks]}],
            }
        )
    )
    command = [
        "prometheus-alertmanager",
        f"--config.file={settings}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with running(command, folder, f"http://{address}/-/ready"):
        yield f"http://{address}"


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
    command = [
        "prometheus",
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--rules.alert.resend-delay=1s",
    ]
    with running(command, folder, f"http://{address}/-/ready"):
        yield f"http://{address}"
