"""Fronts at 1, 20 and 100 callers; and a twin with nothing to compute against bare KServe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.load import Outcome, closed
from tests.benchmarks.report import Row
from tests.conftest import REPOSITORY, environment, free_port
from tests.servers import QUIET, healthy, running, twins

V1 = "/v1/models/credit:predict"
BODY = {"instances": [{"applicant_id": "A0001"}]}

CALLERS, COUNT = (1, 20, 100), 2000


@contextmanager
def trivial(*words: str) -> Iterator[str]:
    """Address of a server of a twin with nothing to compute: `bare` KServe's, or a `front` of ours."""
    kind, *scratch = words
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.benchmarks.trivial", kind, str(port), *scratch]
    env = environment(PYTHONPATH=str(REPOSITORY))
    with running(command, QUIET, lambda: healthy(url), cwd=REPOSITORY, env=env):
        yield url


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
    with trivial("bare") as url:
        bare = {callers: measured(url, callers) for callers in CALLERS}
    with trivial("front", str(scratch)) as url:
        ours = {callers: measured(url, callers) for callers in CALLERS}
    with twins(folder, QUIET, "--twin", "credit") as (url, _):
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
