"""The LLM front at 1, 20 and 100 callers, with and without retrieval, over search and predictor alone."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks.load import Outcome, closed
from tests.benchmarks.report import Row
from tests.servers import QUIET, twins

PATH = "/openai/v1/chat/completions"
QUESTION = "What is a release made of?"

#: Requests of so many callers: every one asks at least once.
COUNTS = {1: 12, 20: 40, 100: 100}
MODES = ("off", "auto")

#: Nobody is refused: how fast an answer is under overload is what `make soak` measures.
QUEUE = {"running": 16, "waiting": 100, "wait_seconds": 100}


def body(retrieval: str) -> dict[str, Any]:
    """A question that one token answers, so that little but the front and the prompt is measured."""
    return {
        "model": "docs",
        "max_tokens": 1,
        "temperature": 0,
        "twinstack": {"retrieval": retrieval},
        "messages": [{"role": "user", "content": QUESTION}],
    }


def rows(folder: Path) -> list[Row]:
    """Everything of this module; `folder` is a project whose twin docs is released."""
    asked = [(mode, callers) for mode in MODES for callers in COUNTS]
    limits = {"TWINSTACK_SERVING__LIMITS__LLM": json.dumps(QUEUE)}
    with twins(folder, QUIET, "--twin", "docs", **limits) as (url, _):
        closed(url, PATH, body("auto"), callers=1, count=2)
        front = {one: closed(url, PATH, body(one[0]), callers=one[1], count=COUNTS[one[1]]) for one in asked}
    alone = _alone(folder, asked)
    return [
        Row(
            f"front docs, retrieval {mode}, {callers} callers, p{share}",
            front[mode, callers].percentile(share),
            "ms",
            alone[mode, callers].percentile(share),
            "ms, the same without a front",
            _refused(front[mode, callers]),
        )
        for mode, callers in asked
        for share in (50, 99)
    ]


def _refused(outcome: Outcome) -> str:
    """How many were not answered, if any."""
    bad = {status: count for status, count in outcome.statuses.items() if status != 200}
    return f"not answered: {bad}" if bad else ""


def _alone(folder: Path, asked: list[tuple[str, int]]) -> dict[tuple[str, int], Outcome]:
    """Search on a thread of its own, then the predictor; as many at once as the front lets run."""
    from components.adapters.stores import Stores
    from components.dataflows import prompts
    from components.runtime.champion import champion_of
    from components.serving.llm_parts import open_predictor, open_retriever
    from components.serving.predictor import Parameters
    from components.serving.sharing import Loans, Shared
    from components.shared.config import load

    config = load(folder / "twinstack.yaml")
    stores = Stores(config)
    release = champion_of(stores.warehouse, "docs")
    assert release is not None
    loans = Loans(Shared())
    retriever, predictor = open_retriever(stores, release, loans), open_predictor(config, release, loans)
    worker = ThreadPoolExecutor(max_workers=1)

    async def answer(mode: str) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(worker, retriever.find, QUESTION) if mode == "auto" else ()
        messages = prompts.messages(retriever.prompt(found, {}), QUESTION)
        async for _ in predictor.stream(messages, Parameters(max_tokens=1, temperature=0)):
            pass

    async def load_of(mode: str, callers: int) -> Outcome:
        outcome, left = Outcome(), COUNTS[callers]
        running = asyncio.Semaphore(QUEUE["running"])

        async def one() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                begun = time.perf_counter()
                async with running:
                    await answer(mode)
                outcome.seconds.append(time.perf_counter() - begun)

        await asyncio.gather(*(one() for _ in range(callers)))
        return outcome

    try:
        asyncio.run(answer("auto"))
        return {one: asyncio.run(load_of(*one)) for one in asked}
    finally:
        worker.shutdown()
        loans.end()
