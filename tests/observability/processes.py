"""Prometheus, Alertmanager and Pushgateway of Debian as processes on loopback, ended with the test."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port, until

#: What must be installed, by the names of Debian's packages.
TOOLS = ("promtool", "prometheus", "prometheus-alertmanager", "amtool", "prometheus-pushgateway")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a tool is absent."""
    absent = [one for one in tools if shutil.which(one) is None]
    return pytest.mark.skipif(
        bool(absent), reason=f"{', '.join(absent)} not installed: run tools/install_prometheus.sh as root"
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
