"""`make run` as printed in the README, on the environment of the tests.

Installing is what CI does first on a clean clone (`.ci/run`); here make is told that it is done.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import Loop, free_port, until

pytestmark = pytest.mark.slow

#: `-o`: the stamp of the installation counts as old, so that its recipe is not run.
MAKE = ("make", "-o", ".venv/.run", "run")


@pytest.fixture
def checkout(loop: Loop, tmp_path: Path) -> Path:
    """A clone with the environment of the tests as its `.venv`."""
    folder = tmp_path / "twinstack"
    subprocess.run(["git", "clone", "-q", str(loop.folder), str(folder)], check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    with (folder / ".git/info/exclude").open("a") as file:
        file.write(".venv\n")
    return folder


@pytest.fixture
def env(loop: Loop) -> dict[str, str]:
    return {**loop.env, "TWINSTACK_STATE": str(loop.folder / ".twinstack")}


def test_make_run_without_serving_ends_and_says_what_it_skipped(checkout: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        [*MAKE, "SERVE=0"], cwd=checkout, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "9 of 9 stages skipped" in done.stdout


def test_make_run_serves_until_interrupted(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    url, log = f"http://127.0.0.1:{port}/v2/health/ready", tmp_path / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            MAKE,
            cwd=checkout,
            env={**env, "TWINSTACK_SERVING__PORT": str(port)},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )

    def ready() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            return httpx.get(url, timeout=2).json().get("ready") is True
        except (httpx.HTTPError, ValueError):
            return False

    try:
        until(ready, 300, "the server's readiness")
    finally:
        # Ctrl-C reaches the whole group of the terminal.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=2)
