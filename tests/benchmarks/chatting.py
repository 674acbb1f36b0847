"""The LLM front at 1, 20 and 100 callers, with and without retrieval, over search and predictor alone."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from tests.benchmarks.front import alone, body
from tests.benchmarks.load import Outcome, closed
from tests.benchmarks.report import Row
from tests.servers import QUIET, twins

PATH = "/openai/v1/chat/completions"

#: Requests of so many callers: every one asks at least once.
COUNTS = {1: 12, 20: 40, 100: 100}

#: Nobody is refused: how fast an answer is under overload is what `make soak` measures.
QUEUE = {"running": 16, "waiting": 100, "wait_seconds": 100}


def rows(folder: Path) -> list[Row]:
    """Everything of this module; `folder` is a project whose twin docs is released."""
    asked = [(retrieval, callers) for retrieval in (False, True) for callers in COUNTS]
    limits = {"TWINSTACK_SERVING__LIMITS__LLM": json.dumps(QUEUE)}
    with twins(folder, QUIET, "--twin", "docs", **limits) as (url, _):
        closed(url, PATH, body(True), callers=1, count=2)
        front = {one: closed(url, PATH, body(one[0]), callers=one[1], count=COUNTS[one[1]]) for one in asked}
    with alone(folder) as answer:
        asyncio.run(answer(True))
        base = {one: asyncio.run(_load(answer, *one)) for one in asked}
    return [
        Row(
            f"front docs, retrieval {'auto' if retrieval else 'off'}, {callers} callers, p{share}",
            front[retrieval, callers].percentile(share),
            "ms",
            base[retrieval, callers].percentile(share),
            "ms, the same without a front",
            _refused(front[retrieval, callers]),
        )
        for retrieval, callers in asked
        for share in (50, 99)
    ]


def _refused(outcome: Outcome) -> str:
    """How many were not answered, if any."""
    bad = {status: count for status, count in outcome.statuses.items() if status != 200}
    return f"not answered: {bad}" if bad else ""


async def _load(
    answer: Callable[[bool], Coroutine[None, None, None]], retrieval: bool, callers: int
) -> Outcome:
    """So many callers, of whom as many are answered at once as the front lets run."""
    outcome, left, running = Outcome(), COUNTS[callers], asyncio.Semaphore(QUEUE["running"])

    async def one() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            begun = time.perf_counter()
            async with running:
                await answer(retrieval)
            outcome.seconds.append(time.perf_counter() - begun)

    await asyncio.gather(*(one() for _ in range(callers)))
    return outcome
