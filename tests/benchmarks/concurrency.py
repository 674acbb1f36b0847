"""Fronts at 1, 20 and 100 callers; and a twin with nothing to compute against bare KServe."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.benchmarks.load import Outcome, closed
from tests.benchmarks.report import Row
from tests.conftest import REPOSITORY, TWIN, environment, free_port, until

V1 = "/v1/models/credit:predict"
BODY = {"instances": [{"applicant_id": "A0001"}]}

CALLERS, COUNT = (1, 20, 100), 2000


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[str]:
    """Address of a server that the command starts."""
    port = int(next(word for word in command if word.isdigit()))
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/v2/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(ready, 180, "the server's readiness")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def measured(url: str, callers: int) -> Outcome:
    """Answers to so many callers, after a warm-up."""
    closed(url, V1, BODY, callers=callers, count=COUNT // 10)
    return closed(url, V1, BODY, callers=callers, count=COUNT)


def rows(folder: Path, scratch: Path) -> list[Row]:
    """Everything of this module.

    Args:
        folder: A project whose twin credit is released.
        scratch: An empty folder.
    """
    trivial = [sys.executable, "-m", "tests.benchmarks.trivial"]
    with running([*trivial, "bare", str(free_port())], REPOSITORY) as url:
        bare = {callers: measured(url, callers) for callers in CALLERS}
    with running([*trivial, "front", str(free_port()), str(scratch)], REPOSITORY) as url:
        ours = {callers: measured(url, callers) for callers in CALLERS}
    with running([TWIN, "serve", "--twin", "credit", "--port", str(free_port())], folder) as url:
        whole = {callers: measured(url, callers) for callers in CALLERS}
    made = []
    for callers in CALLERS:
        base, mine, real = bare[callers], ours[callers], whole[callers]
        what = f"{callers} callers"
        made += [
            Row(f"trivial twin, {what}", mine.rate, "rps", base.rate, "rps, bare KServe", "≥ 0.7"),
            Row(
                f"trivial twin, {what}, p99",
                mine.percentile(99),
                "ms",
                base.percentile(99),
                "ms, bare KServe",
            ),
            Row(
                f"credit by id, {what}, p50",
                real.percentile(50),
                "ms",
                mine.percentile(50),
                "ms, front alone",
            ),
            Row(
                f"credit by id, {what}, p99",
                real.percentile(99),
                "ms",
                mine.percentile(99),
                "ms, front alone",
            ),
        ]
    return made
