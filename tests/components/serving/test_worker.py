"""A release's thread: one caller at a time, and no waiting for a call that does not come back."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from components.serving.llm.predictor import PredictorLateError
from components.serving.worker import Worker

pytestmark = pytest.mark.anyio

#: Seconds.
PATIENCE = 0.2


@dataclass
class Hanging:
    """A worker and a call that comes back when the test says so."""

    worker: Worker = field(default_factory=lambda: Worker("test", PATIENCE))
    go: threading.Event = field(default_factory=threading.Event)
    calls: int = 0

    def hang(self) -> str:
        self.calls += 1
        assert self.go.wait(30)
        return "back"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.go.set()
    made.worker.close(wait=True)


async def test_a_call_that_hangs_fails_with_all_that_wait_and_the_next_ones_at_once(hanging: Hanging) -> None:
    begun = time.monotonic()
    calls = [hanging.worker.run(hanging.hang) for _ in range(8)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, PredictorLateError) for one in found)
    assert time.monotonic() - begun < 10 * PATIENCE
    assert hanging.calls == 1, "what waited is not begun any more"
    begun = time.monotonic()
    for _ in range(100):
        with pytest.raises(PredictorLateError):
            await hanging.worker.run(hanging.hang)
    assert time.monotonic() - begun < PATIENCE
    assert sum(one.name.startswith("test") for one in threading.enumerate()) == 1


async def test_a_thread_that_comes_back_is_asked_again(hanging: Hanging) -> None:
    with pytest.raises(PredictorLateError):
        await hanging.worker.run(hanging.hang)
    hanging.go.set()
    async with asyncio.timeout(20):
        while hanging.worker.stuck:
            await asyncio.sleep(0)
    assert await hanging.worker.run(lambda word: f"{word}!", "fine") == "fine!"


async def test_many_short_calls_may_wait_for_longer_than_one_may_take(hanging: Hanging) -> None:
    naps = [hanging.worker.run(time.sleep, PATIENCE / 2) for _ in range(5)]
    assert await asyncio.gather(*naps) == [None] * 5


async def test_what_a_call_raises_comes_out(hanging: Hanging) -> None:
    def fails() -> None:
        raise KeyError("no such feature")

    with pytest.raises(KeyError):
        await hanging.worker.run(fails)


async def test_closing_does_not_wait_for_a_call_that_hangs(hanging: Hanging) -> None:
    with pytest.raises(PredictorLateError):
        await hanging.worker.run(hanging.hang)
    begun = time.monotonic()
    hanging.worker.close(wait=True)
    assert time.monotonic() - begun < PATIENCE
