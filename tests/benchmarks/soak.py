"""`make soak`: ten times the capacity on loopback; what is admitted stays fast, the rest is refused in order;
and nothing answered is lost with the warehouse away and the server killed.

The server gets a short queue for it (`QUEUE`): how fast admitted requests are under overload is a choice
between queue and refusal, and this is the choice for latency.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.load import Outcome, closed, opened
from tests.benchmarks.losses import lost
from tests.conftest import REPOSITORY, TWIN, environment
from tests.servers import QUIET, twins

#: One request runs and none waits: one that waited would take twice as long before anything else.
QUEUE = {"running": 1, "waiting": 0}

ALLOWED = {200, 429, 503, 504}

#: How much the server's memory may grow over the load, after it has warmed up.
GROWTH = 1.1

#: Times the capacity, times the unloaded p99.
OVERLOAD, SLOWER = 10, 2.0

#: Seconds of one request that make 10 times the capacity a rate that the generator can send.
HEAVY = 0.02


@dataclass(frozen=True)
class Target:
    """A twin and a request to it."""

    twin: str
    path: str
    body: dict[str, Any]


def chat() -> Target:
    """One short answer of the LLM twin."""
    messages = [{"role": "user", "content": "What is a release made of?"}]
    body = {"model": "docs", "messages": messages, "max_tokens": 4, "temperature": 0}
    return Target("docs", "/openai/v1/chat/completions", body)


def batch(instances: int) -> Target:
    """So many instances in one request to the classic twin."""
    rows = [{"applicant_id": f"A{number % 1000 + 1:04d}"} for number in range(instances)]
    return Target("credit", "/v1/models/credit:predict", {"instances": rows})


def memory(pid: int) -> float:
    """Resident MiB of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def heavy(url: str) -> Target:
    """A batch that takes long enough."""
    for instances in (10, 50, 100, 200, 500, 1000):
        target = batch(instances)
        if closed(url, target.path, target.body, callers=1, count=20).percentile(50) >= HEAVY * 1000:
            return target
    return target


def soaked(folder: Path, twin: str, seconds: float) -> list[str]:
    """Print what was measured; what is not as it should be comes back."""
    limits = {f"TWINSTACK_SERVING__LIMITS__{kind}": json.dumps(QUEUE) for kind in ("CLASSIC", "LLM")}
    with twins(folder, QUIET, "--twin", twin, **limits) as (url, pid):
        target = chat() if twin == "docs" else heavy(url)
        unloaded = closed(url, target.path, target.body, callers=1, count=30 if twin == "docs" else 200)
        rate = OVERLOAD * unloaded.rate
        opened(url, target.path, target.body, rate=rate, seconds=min(5.0, seconds))  # warms up
        before = memory(pid)
        loaded = opened(url, target.path, target.body, rate=rate, seconds=seconds)
        after = memory(pid)
    _show(twin, unloaded, loaded, rate)
    print(f"{twin}: memory {before:.0f} to {after:.0f} MiB")
    wrong = []
    if not set(loaded.statuses) <= ALLOWED or not loaded.statuses[200]:
        wrong.append(f"{twin}: statuses {dict(loaded.statuses)}")
    if loaded.percentile(99) > SLOWER * unloaded.percentile(99):
        ratio = loaded.percentile(99) / unloaded.percentile(99)
        wrong.append(f"{twin}: admitted p99 is {ratio:.1f} times the unloaded one")
    if after > GROWTH * before:
        wrong.append(f"{twin}: memory grew from {before:.0f} to {after:.0f} MiB")
    return wrong


def _show(twin: str, unloaded: Outcome, loaded: Outcome, rate: float) -> None:
    for name, one in (("unloaded", unloaded), (f"{rate:.0f} requests/s for {loaded.lasted:.0f} s", loaded)):
        print(
            f"{twin}: {name}: {dict(sorted(one.statuses.items()))}, {one.rate:.1f} good answers/s, "
            f"p50 {one.percentile(50):.1f} ms, p99 {one.percentile(99):.1f} ms"
        )


def main() -> int:
    """Soak the twins of a finished loop; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--folder", type=Path, help="project whose twins are released; default: a new clone")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="length of the load; default: %(default)s"
    )
    parser.add_argument("--twin", action="append", help="credit or docs; may be repeated; default: both")
    words = parser.parse_args()
    twins = words.twin or ["credit", "docs"]
    if words.folder and not (words.folder / "twinstack.yaml").is_file():
        parser.error(f"--folder {words.folder} is no project: it holds no twinstack.yaml; leave it out")
    if unknown := set(twins) - {"credit", "docs"}:
        parser.error(f"unknown twins: {', '.join(sorted(unknown))}; there are credit and docs")
    with tempfile.TemporaryDirectory() as scratch:
        folder = words.folder or Path(scratch) / "twinstack"
        if not words.folder:
            subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(folder)], check=True)
            for twin in twins:
                run = [TWIN, "run", "end_to_end", "--twin", twin]
                subprocess.run(run, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
        wrong = [line for twin in twins for line in soaked(folder, twin, words.seconds)]
        if "credit" in twins:
            wrong += lost(folder, words.seconds)
    print("\n" + ("\n".join(wrong) or "everything as it should be"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
