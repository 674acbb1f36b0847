"""The fronts against what they stand in front of: predictor and look-up or search, in this process."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.benchmarks.report import Row
from tests.benchmarks.timing import percentiles
from tests.servers import QUIET, twins

CLASSIC, CHAT = 500, 12
BY_ID = {"instances": [{"applicant_id": "A0001"}]}
QUESTION = "What is a release made of?"


def body(retrieval: bool) -> dict[str, Any]:
    """A question that one token answers, so that little but the front and the prompt is measured."""
    return {
        "model": "docs",
        "max_tokens": 1,
        "temperature": 0,
        "twinstack": {"retrieval": "auto" if retrieval else "off"},
        "messages": [{"role": "user", "content": QUESTION}],
    }


def milliseconds(call: Callable[[], object], count: int) -> tuple[float, float]:
    """p50 and p99 of calls one after the other, after a tenth of them as warm-up."""
    p50, p99 = percentiles(call, count, warming=max(1, count // 10))
    return p50 * 1000, p99 * 1000


def overhead(folder: Path) -> list[Row]:
    """Requests over HTTP, then the same work without a front."""
    with twins(folder, QUIET) as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        v1 = milliseconds(
            lambda: client.post("/v1/models/credit:predict", json=BY_ID),
            CLASSIC,
        )
        chat = milliseconds(lambda: client.post("/openai/v1/chat/completions", json=body(True)), CHAT)
    look_up, answer = _classic(folder), _chat(folder)
    return [
        Row("front credit by id, p50", v1[0], "ms", look_up[0], "ms, Feast look-up + model"),
        Row("front credit by id, p99", v1[1], "ms", look_up[1], "ms, Feast look-up + model"),
        Row(
            "front docs, one token, p50",
            chat[0],
            "ms",
            answer[0],
            "ms, search + first token",
            "≤ 5 ms on top",
        ),
        Row("front docs, one token, p99", chat[1], "ms", answer[1], "ms, search + first token"),
    ]


def _classic(folder: Path) -> tuple[float, float]:
    from components.adapters.stores import Stores
    from components.dataflows import boosting
    from components.runtime.champion import champion_of
    from components.shared.config import load

    stores = Stores(load(folder / "twinstack.yaml"))
    release = champion_of(stores.warehouse, "credit")
    assert release is not None
    from components.adapters.model_files import local_folder

    reader = stores.features.online(release.feature_version, "credit")
    model = boosting.load(local_folder(release.model_uri))

    def call() -> None:
        found = reader.lookup(["A0001"])[0]
        assert found is not None
        row = np.array([[found[name] for name in reader.features]], dtype=np.float64)
        boosting.probability(model, row)

    return milliseconds(call, CLASSIC)


def _chat(folder: Path) -> tuple[float, float]:
    with alone(folder) as answer, asyncio.Runner() as runner:
        return milliseconds(lambda: runner.run(answer(True)), CHAT)


@contextmanager
def alone(folder: Path) -> Iterator[Callable[[bool], Coroutine[None, None, None]]]:
    """What the docs front stands in front of: gives one token's answer, with retrieval or without."""
    from components.adapters.stores import Stores
    from components.dataflows import prompts
    from components.runtime.champion import champion_of
    from components.serving.llm.parts import open_predictor, open_retriever
    from components.serving.llm.predictor import Parameters
    from components.serving.sharing import Loans, Shared
    from components.shared.config import load

    config = load(folder / "twinstack.yaml")
    stores = Stores(config)
    release = champion_of(stores.warehouse, "docs")
    assert release is not None
    loans = Loans(Shared())
    retriever, predictor = open_retriever(stores, release, loans), open_predictor(config, release, loans)
    # As in the front: the search has a thread of its own, on which its model runs.
    worker = ThreadPoolExecutor(max_workers=1)

    async def answer(retrieval: bool) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(worker, retriever.find, QUESTION) if retrieval else ()
        messages = prompts.messages(retriever.prompt(found, {}), QUESTION)
        async for _ in predictor.stream(messages, Parameters(max_tokens=1, temperature=0)):
            pass

    try:
        yield answer
    finally:
        worker.shutdown()
        loans.end()
