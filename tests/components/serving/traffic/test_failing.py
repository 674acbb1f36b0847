"""Fronts whose model fails: the scorecard, or the passages that were found, answer and are marked."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.runtime.champion import require_traffic
from components.runtime.context import Context
from components.serving import exchange as exchanges
from components.serving.exchange import LEFT, Exchange
from components.serving.llm.asking import Ask, Citation, Page
from components.serving.llm.forms import Form, FormError
from components.serving.llm.leaving import LeftError
from components.serving.llm.predictor import Delta, Parameters, PredictorError, Prompt
from components.serving.traffic.breaker import State
from components.serving.traffic.manager import Manager, manager
from components.shared.errors import TooLargeError
from components.shared.metrics.instruments import Instruments

pytestmark = pytest.mark.anyio

INSTANCE = {"instances": [{"applicant_id": "A0001"}]}


def managed(released: Any, twin: str, kind: Any, opened: Any, registry: CollectorRegistry) -> Manager[Any]:
    config = released[1]
    warehouse = Context(config, twin, "t").stores.warehouse
    made = manager(warehouse, twin, kind, lambda _: opened, config.serving, (), Instruments(registry))
    made.fleet.start(require_traffic(warehouse, twin))
    return made


async def test_the_scorecard_answers_when_the_model_fails(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.dataflows import boosting
    from components.serving.classic.front import ClassicFront
    from components.serving.classic.release import ClassicRelease, open_parts

    _, config, credit, _ = released
    parts = open_parts(config, Context(config, "credit", "t").stores, credit)
    registry = CollectorRegistry()
    opened = ClassicRelease(parts, "applicant_id", Instruments(CollectorRegistry()))
    front = ClassicFront(config, managed(released, "credit", "classic", opened, registry))

    async def ask() -> tuple[dict[str, Any], Exchange]:
        exchange = Exchange()
        exchanges.begin(exchange)
        answer, _ = await front(INSTANCE)
        exchange.end()
        return answer["predictions"][0], exchange

    good, exchange = await ask()
    assert (exchange.role, exchange.answered) == ("champion", "model")

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(boosting, "probability", broken)
    fell_back, exchange = await ask()
    assert (exchange.role, exchange.answered) == ("fallback", "scorecard")
    front.stop()
    assert good["answered_by"] == "model"
    assert fell_back["answered_by"] == "scorecard"
    assert fell_back["points"] == good["points"]
    card, points = parts.card, fell_back["points"]
    odds = card.base_odds * 2 ** ((points - card.base_points) / card.points_to_double)
    assert fell_back["probability"] == pytest.approx(1 / (1 + odds), rel=1e-6)
    labels = {"twin": "credit", "release": credit.id}
    assert registry.get_sample_value("twinstack_fallback_total", labels) == 1


async def test_the_scorecard_answers_when_the_model_hangs(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.dataflows import boosting
    from components.serving import worker
    from components.serving.classic.front import ClassicFront
    from components.serving.classic.release import open_classic

    _, config, credit, _ = released
    monkeypatch.setattr(worker.Worker.__init__, "__defaults__", (0.2,))
    stores = Context(config, "credit", "t").stores
    opened = open_classic(config, stores, credit, Instruments(CollectorRegistry()))
    registry, go = CollectorRegistry(), threading.Event()
    front = ClassicFront(config, managed(released, "credit", "classic", opened, registry))
    monkeypatch.setattr(boosting, "probability", lambda *_: go.wait(60))

    async def ask() -> str:
        exchange = Exchange()
        exchanges.begin(exchange)
        answer, _ = await front(INSTANCE)
        exchange.end()
        return str(answer["predictions"][0]["answered_by"])

    try:
        together = await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(30))), 20)
        assert set(together) == {"scorecard"}
        labels = {"twin": "credit", "release": credit.id}
        assert registry.get_sample_value("twinstack_breaker_state", labels) == State.OPEN
        assert sum(one.name.startswith(f"model-{credit.id}") for one in threading.enumerate()) == 1
    finally:
        go.set()
        front.stop()


@dataclass
class Model:
    """A predictor that says two words, and fails before the first or between them; hangs without words."""

    fails_at: int = -1
    words: tuple[str, ...] = ("two ", "words")
    asked: int = 0
    open: int = 0

    def count(self, prompt: Prompt) -> int:
        texts = [prompt] if isinstance(prompt, str) else [one["content"] for one in prompt]
        return sum(len(one.split()) for one in texts)

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        self.asked += 1
        self.open += 1
        try:
            if not self.words:
                await asyncio.Event().wait()
            for at, word in enumerate(self.words):
                if at == self.fails_at:
                    raise PredictorError("down")
                yield Delta(word, 5, at + 1, "stop" if at == len(self.words) - 1 else None)
        finally:
            self.open -= 1

    def start(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        """Nothing to end."""


@dataclass
class Chunks:
    """Finds one chunk."""

    found: list[Citation] = field(
        default_factory=lambda: [Citation("gate.md", "Gate", "c1", 0.9, "The gate blocks.")]
    )

    def find(self, question: str) -> list[Citation]:
        return self.found

    def prompt(self, citations: Sequence[Citation], variables: object = None) -> str:
        return "Answer."

    def close(self) -> None:
        """Nothing to remove."""


async def never() -> bool:
    return False


@dataclass
class Chat:
    """An LLM twin over a model of the test's own."""

    front: Any
    model: Model
    found: Chunks
    running: int

    async def ask(
        self, question: str = "What does the gate do?", form: Form | None = None
    ) -> tuple[str, Exchange, Any]:
        exchange = Exchange()
        exchanges.begin(exchange)
        try:
            ask = Ask([{"role": "user", "content": question}], Parameters(max_tokens=8), form=form)
            started = await self.front.begin(ask, never)
            text = "".join([delta.text async for delta in started.pieces])
        finally:
            exchange.end()
        return text, exchange, started


@pytest.fixture
def chat(released: Any) -> Any:
    from components.serving.llm.front import LlmFront
    from components.serving.llm.release import LlmRelease

    docs, model, found = released[3], Model(), Chunks()
    opened = LlmRelease(docs, 1000, found, model, Instruments(CollectorRegistry()))  # type: ignore[arg-type]
    front = LlmFront(managed(released, "docs", "llm", opened, CollectorRegistry()), 100)
    yield Chat(front, model, found, released[1].serving.limits.llm.running)
    front.stop()


async def test_the_passages_answer_when_the_model_fails(chat: Chat) -> None:
    assert (await chat.ask())[0] == "two words"
    chat.model.fails_at = 0
    text, exchange, started = await chat.ask()
    assert "[1] gate.md, Gate\nThe gate blocks." in text
    assert "cannot answer now" in text
    assert (exchange.role, exchange.answered, exchange.output) == ("fallback", "retrieval", text)
    assert started.prepared.citations
    assert chat.model.asked == 3, "once more within the budget"
    chat.model.fails_at = -1
    assert (await chat.ask())[0] == "two words"


async def test_without_passages_the_error_is_told(chat: Chat) -> None:
    chat.model.fails_at, chat.found.found = 0, []
    with pytest.raises(PredictorError):
        await chat.ask()


async def test_after_the_first_word_nothing_is_repeated(chat: Chat) -> None:
    chat.model.fails_at = 1
    with pytest.raises(PredictorError):
        await chat.ask()
    assert chat.model.asked == 1
    assert chat.model.open == 0


async def test_a_circuit_that_is_open_is_not_asked_and_closes_by_itself(chat: Chat) -> None:
    chat.model.fails_at = 0
    for _ in range(30):
        await chat.ask()
    asked = chat.model.asked
    assert "gate.md" in (await chat.ask())[0]
    assert chat.model.asked == asked


async def test_callers_with_an_impossible_form_do_not_open_the_circuit_for_the_others(chat: Chat) -> None:
    form = Form({"const": "never said"})
    for _ in range(30):
        with pytest.raises(FormError):
            await chat.ask(form=form)
    text, exchange, _ = await chat.ask()
    assert (text, exchange.answered) == ("two words", "model")


async def test_an_answer_of_a_form_has_begun_with_its_first_word(chat: Chat) -> None:
    chat.model.words = ('{"a": ', "1}")
    _, exchange, _ = await chat.ask(form=Form())
    ask = Ask([{"role": "user", "content": "?"}], Parameters(max_tokens=8), form=Form())
    exchanges.begin(exchange)
    started = await chat.front.begin(ask, never)
    assert chat.model.open == 1, "it is not waited for as long as for a release that says nothing"
    assert [delta.text async for delta in started.pieces] == ["", "", '{"a": 1}']
    exchange.end()


async def test_tokens_of_a_form_that_is_given_up_are_counted(chat: Chat) -> None:
    exchange, left = Exchange(), iter((False, True))
    exchanges.begin(exchange)

    async def gone() -> bool:
        return next(left)

    chat.model.words = ("three ", "words ", "here")
    ask = Ask([{"role": "user", "content": "?"}], Parameters(max_tokens=8), form=Form())
    started = await chat.front.begin(ask, gone)
    assert "".join([delta.text async for delta in started.pieces]) == ""
    exchange.end()
    assert (exchange.prompt_tokens, exchange.completion_tokens, exchange.broken) == (5, 2, LEFT)


async def test_a_release_that_is_given_up_before_its_first_word_was_not_left_by_its_caller(
    chat: Chat,
) -> None:
    chat.model.words = ()
    exchange = Exchange()
    exchanges.begin(exchange)
    ask = Ask([{"role": "user", "content": "?"}], Parameters(max_tokens=8))
    begun = asyncio.create_task(chat.front.begin(ask, never))
    await asyncio.wait((begun,), timeout=0.5)
    begun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun
    exchange.end()
    assert (chat.model.open, exchange.broken) == (0, 0)


async def test_who_leaves_before_the_first_word_frees_the_model_and_blames_nobody(chat: Chat) -> None:
    chat.model.words = ()
    exchange = Exchange()
    exchanges.begin(exchange)
    ask = Ask([{"role": "user", "content": "?"}], Parameters(max_tokens=8))

    async def gone() -> bool:
        return chat.model.open == 1

    with pytest.raises(LeftError):
        await chat.front.begin(ask, gone)
    exchange.end()
    assert (chat.model.open, exchange.failed) == (0, {})


async def test_who_leaves_while_waiting_for_its_turn_never_gets_to_the_model(chat: Chat) -> None:
    queue = chat.front.manager.queue
    places = [await queue.enter() for _ in range(chat.running)]
    exchange = Exchange()
    exchanges.begin(exchange)
    ask = Ask([{"role": "user", "content": "?"}], Parameters(max_tokens=8))

    async def gone() -> bool:
        return True

    with pytest.raises(LeftError):
        await chat.front.begin(ask, gone)
    exchange.end()
    for leave in places:
        leave()
    assert chat.model.asked == 0
    assert (await chat.ask())[0] == "two words", "and its place is free"


async def test_pages_are_read_after_queue_and_length_admit_the_request(chat: Chat) -> None:
    exchange, read = Exchange(), list[str]()
    exchanges.begin(exchange)

    async def reads() -> tuple[Page, ...]:
        assert exchange.release == chat.front.release.id, "its turn has come"
        read.append("a page")
        return ()

    def asked(question: str) -> Ask:
        return Ask([{"role": "user", "content": question}], Parameters(max_tokens=8))

    with pytest.raises(TooLargeError):
        await chat.front.begin(asked("word " * 101), never, reads)
    assert not read
    started = await chat.front.begin(asked("What does the gate do?"), never, reads)
    await started.pieces.aclose()
    exchange.end()
    assert read == ["a page"]


async def test_a_long_prompt_is_refused_before_any_work(chat: Chat) -> None:
    with pytest.raises(TooLargeError, match="101 tokens, more than 100"):
        await chat.ask("word " * 101)
    assert chat.model.asked == 0
