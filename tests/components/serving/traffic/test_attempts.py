"""Who answers: champion or canary, once more, the champion for a canary, the fallback; and the way back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.serving import exchange as exchanges
from components.serving.exchange import Exchange
from components.serving.llm.predictor import PredictorError
from components.serving.traffic.attempts import Attempts
from components.shared.config.access import Breaker as Settings
from components.shared.errors import NotFoundError, TwinError
from components.shared.metrics.instruments import Instruments

pytestmark = pytest.mark.anyio

SETTINGS = Settings(calls=4, open_seconds=5, trials=1, retries=1.0, give_up_seconds=0.05)


@dataclass
class Twin:
    """A twin whose releases fail at the test's command."""

    held: Any
    attempts: Attempts[Any]
    registry: CollectorRegistry
    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def call(self, opened: Any) -> str:
        name: str = opened.release.id
        self.asked.append(name)
        if name in self.failing:
            raise self.failing[name]
        return name

    async def built_in(self, opened: Any) -> str:
        return f"scorecard of {opened.release.id}"

    async def ask(
        self, sticky: str = "", call: Callable[[Any], Awaitable[str]] | None = None
    ) -> tuple[str, Exchange]:
        exchange = Exchange(sticky=sticky)
        exchanges.begin(exchange)
        try:
            choice = self.attempts.choose()
            answer = await self.attempts.run(choice, call or self.call, ("scorecard", self.built_in))
        finally:
            exchange.end()
        return answer, exchange

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"twin": "t", **labels}) or 0.0


@pytest.fixture
def twin(held: Any) -> Twin:
    registry = CollectorRegistry()
    attempts = Attempts("t", held.fleet, SETTINGS, Instruments(registry), held.clock)
    return Twin(held, attempts, registry)


async def test_the_champion_answers(twin: Twin) -> None:
    answer, exchange = await twin.ask()
    assert (answer, exchange.role, exchange.answered, exchange.release) == ("one", "champion", "model", "one")


async def test_a_canary_gets_its_share_and_callers_stay(twin: Twin) -> None:
    twin.held.see("one", canary={"release": "two", "share": 0.3})
    twin.held.until(lambda: twin.held.fleet.active.canary is not None, "the canary")
    first = [(await twin.ask(f"user-{number}"))[0] for number in range(200)]
    assert first == [(await twin.ask(f"user-{number}"))[0] for number in range(200)]
    assert 30 < first.count("two") < 90


async def test_a_failed_attempt_is_repeated_once(twin: Twin) -> None:
    failures = iter([PredictorError("busy")])

    async def flaky(opened: Any) -> str:
        twin.asked.append(opened.release.id)
        for error in failures:
            raise error
        return "fine"

    assert (await twin.ask(call=flaky))[0] == "fine"
    assert twin.asked == ["one", "one"]
    assert twin.counted("twinstack_retry_total", release="one") == 1


async def test_what_is_no_failure_of_a_predictor_is_not_repeated(twin: Twin) -> None:
    twin.failing["one"] = RuntimeError("out of memory")
    answer, exchange = await twin.ask()
    assert answer == "scorecard of one"
    assert (exchange.role, exchange.answered) == ("fallback", "scorecard")
    assert exchange.failed == {"one": "failed: RuntimeError"}, "nothing of what it said"
    assert twin.asked == ["one"]
    assert twin.counted("twinstack_fallback_total", release="one") == 1


async def test_what_is_wrong_with_the_request_is_told_and_blames_nobody(twin: Twin) -> None:
    twin.failing["one"] = NotFoundError("no such id")
    for _ in range(10):
        with pytest.raises(NotFoundError):
            await twin.ask()
    del twin.failing["one"]
    assert (await twin.ask())[0] == "one"


async def test_too_slow_an_answer_is_given_up(twin: Twin) -> None:
    async def hangs(opened: Any) -> str:
        await asyncio.Event().wait()
        return "never"

    answer, exchange = await twin.ask(call=hangs)
    assert (answer, exchange.failed) == ("scorecard of one", {"one": "no answer in time"})


async def test_the_circuit_opens_and_closes_by_itself(twin: Twin) -> None:
    twin.failing["one"] = RuntimeError("out of memory")
    for _ in range(4):
        await twin.ask()
    assert twin.counted("twinstack_breaker_state", release="one") == 2
    asked = len(twin.asked)
    answer, exchange = await twin.ask()
    assert (answer, exchange.failed) == ("scorecard of one", {"one": "its circuit is open"})
    assert len(twin.asked) == asked, "an open circuit is not asked"
    del twin.failing["one"]
    twin.held.clock.now += 5
    assert (await twin.ask())[0] == "one"
    assert twin.counted("twinstack_breaker_state", release="one") == 0


async def test_the_champion_answers_for_a_canary_that_fails(twin: Twin) -> None:
    twin.held.see("one", canary={"release": "two", "share": 1.0})
    twin.held.until(lambda: twin.held.fleet.active.canary is not None, "the canary")
    twin.failing["two"] = RuntimeError("bad weights")
    answer, exchange = await twin.ask()
    assert (answer, exchange.release, exchange.role) == ("one", "one", "fallback")
    twin.failing["one"] = RuntimeError("bad weights")
    answer, exchange = await twin.ask()
    assert (answer, list(exchange.failed)) == ("scorecard of one", ["two", "one"])


async def test_another_release_is_the_fallback(twin: Twin) -> None:
    twin.held.see("one", fallback="small")
    twin.held.until(lambda: twin.held.fleet.active.fallback == "small", "the fallback")
    twin.failing["one"] = PredictorError("down")
    answer, exchange = await twin.ask()
    assert (answer, exchange.release, exchange.role) == ("small", "small", "fallback")
    twin.failing["small"] = PredictorError("down too")
    with pytest.raises(PredictorError, match="down too"):
        await twin.ask()


async def test_without_a_fallback_the_error_is_told_without_its_inside(twin: Twin) -> None:
    twin.held.see("one", fallback="none")
    twin.failing["one"] = RuntimeError("secret prompt in a message")
    with pytest.raises(TwinError) as caught:
        await twin.ask()
    assert caught.value.http_status == 502
    assert "secret" not in str(caught.value)


async def test_who_leaves_blames_nobody_and_frees_the_release(twin: Twin) -> None:
    async def hangs(opened: Any) -> str:
        await asyncio.Event().wait()
        return "never"

    for _ in range(6):
        task = asyncio.create_task(twin.ask(call=hangs))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await twin.ask())[0] == "one"
    twin.held.see("two")
    twin.held.until(lambda: twin.held.opener.open() == {"two"}, "the end of the old release")


async def test_breaking_off_in_the_middle_counts(twin: Twin) -> None:
    for _ in range(4):
        twin.attempts.late("one")
    assert (await twin.ask())[0] == "scorecard of one"
