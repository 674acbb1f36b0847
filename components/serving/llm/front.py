"""An LLM twin: a release of its traffic answers; where none can, the passages that were found."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kserve import Model

from components.runtime.rates import RateError
from components.serving.exchange import current
from components.serving.limits.access import count_refusal
from components.serving.limits.errors import late
from components.serving.llm.asking import Ask, Citation, Page, Prepared
from components.serving.llm.leaving import Gone, LeftError, unless_left
from components.serving.llm.predictor import Delta, PredictorError
from components.serving.llm.release import LlmRelease
from components.serving.traffic.attempts import Choice
from components.serving.traffic.manager import Manager
from components.shared.errors import RequestError, TooLargeError
from components.shared.metrics.requests import DISCONNECTS
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.adapters.encoder import Vectors

Reads = Callable[[], Awaitable[tuple[Page, ...]]]

#: What makes an answer where no model can.
RETRIEVAL = "retrieval"

OPENING = "The model cannot answer now. These passages fit the question best."


@dataclass(frozen=True)
class Started:
    """An answer that has begun: its release is known, and it will not be asked of another one any more.

    Attributes:
        prepared: What the model was asked.
        pieces: The answer; to be closed.
    """

    prepared: Prepared
    pieces: AsyncGenerator[Delta, None]


class LlmFront(Model):  # type: ignore[misc]
    """One LLM twin.

    It is registered with KServe, so that the model lists and the health of KServe's protocols hold it; it
    answers on the OpenAI API.

    Args:
        manager: Decides which release answers.
        max_prompt_tokens: Longer prompts are refused before any work.
    """

    def __init__(self, manager: Manager[LlmRelease], max_prompt_tokens: int) -> None:
        super().__init__(manager.twin)
        self.manager = manager
        self._most = max_prompt_tokens
        self.ready = True

    @property
    def release(self) -> Release:
        """The champion."""
        return self.manager.fleet.champion.release

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> Any:
        """Refuse V1 and V2: they have no conversation."""
        raise RequestError(
            f"twin '{self.name}' is of kind llm, which this protocol does not serve",
            param="model",
            remedy="POST /openai/v1/chat/completions",
        )

    def stop(self) -> None:
        """Stop generating and release everything."""
        self.ready = False
        self.manager.close()

    async def begin(self, ask: Ask, gone: Gone, reads: Reads | None = None) -> Started:
        """Wait for the request's turn, and for the first piece of its answer, as long as the caller does.

        Args:
            ask: What is asked.
            gone: Whether the client has left.
            reads: Reads the pages that the caller named; not before queue and token budget let it.

        Raises:
            BusyError: Too many requests wait already.
            LeftError: The client has left.
            LinkError: A page cannot be read.
            PredictorError: No release gives an answer, and neither does the fallback.
            RateError: The key has too few tokens left.
            TooLargeError: Prompt and conversation leave no room for an answer.
        """
        try:
            started = await unless_left(self._started(ask, gone, reads), gone, _close)
        except LeftError:
            self.manager.instruments.add(DISCONNECTS, 1, self.name)
            raise
        return Started(started.prepared, self._watched(started, ask))

    async def _started(self, ask: Ask, gone: Gone, reads: Reads | None) -> Started:
        choice = await self.manager.admit()
        await self._reserve(choice, ask)
        if reads is not None:
            ask = replace(ask, pages=await reads())

        async def call(opened: LlmRelease) -> Started:
            prepared = await opened.prepare(ask)
            return Started(prepared, await _begun(opened.answer(prepared, gone)))

        async def fall_back(opened: LlmRelease) -> Started:
            prepared = await opened.prepare(ask)
            return Started(prepared, _passages(prepared))

        return await self.manager.attempts.run(choice, call, (RETRIEVAL, fall_back))

    async def embed(self, texts: Sequence[str]) -> "tuple[list[Vectors], int]":
        """Unit vectors of texts; see `LlmRelease.embed`.

        Raises:
            RateError: The key has too few tokens left.
        """
        choice = await self.manager.admit()
        # A token has a character at least, and every text two tokens that mark its ends.
        self._set_aside(sum(len(text) + 2 for text in texts))
        return await choice.opened.embed(texts)

    async def _reserve(self, choice: Choice[LlmRelease], ask: Ask) -> None:
        """Check the prompt's length and set its tokens and the answer's aside.

        Raises:
            TooLargeError: The prompt is too long.
            RateError: The key has too few tokens left.
        """
        tokens = await choice.opened.count(ask.prompt)
        if tokens > self._most:
            raise TooLargeError(
                f"the prompt has {tokens} tokens, more than {self._most}",
                param="prompt" if isinstance(ask.prompt, str) else "messages",
                remedy="shorten it, or raise serving.limits.max_prompt_tokens",
            )
        self._set_aside(tokens + ask.parameters.max_tokens * ask.parameters.choices)

    def _set_aside(self, tokens: int) -> None:
        """Reserve the most that a request may use of its key's tokens; what it did not use goes back.

        Raises:
            RateError: The key has too few left.
        """
        exchange = current()
        if exchange.allowance is None:
            return
        try:
            settle = exchange.allowance.reserve(tokens)
        except RateError as error:
            count_refusal(self.manager.instruments, error, exchange.key, self.name)
            raise
        exchange.at_end(lambda: settle(exchange.prompt_tokens + exchange.completion_tokens))

    async def _watched(self, started: Started, ask: Ask) -> AsyncGenerator[Delta, None]:
        """The pieces; one that breaks off counts against its release, a whole one is copied to the shadow."""
        exchange = current()
        try:
            async with aclosing(started.pieces) as pieces:
                async for delta in _until(exchange.deadline, pieces):
                    yield delta
        except RequestError:
            raise  # it answered, only not in the form that this caller wanted
        except Exception:
            self.manager.attempts.late(started.prepared.release.id)
            raise
        self.manager.shadow.offer(lambda opened: _shadowed(opened, ask))


async def _until(deadline: float | None, pieces: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
    """The pieces that come before a time of the event loop.

    Raises:
        DeadlineError: The answer is not whole by then.
    """
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                delta = await anext(pieces, None)
            if delta is None:
                return
            yield delta
    except TimeoutError:
        raise late() from None


async def _shadowed(opened: LlmRelease, ask: Ask) -> None:
    prepared = await opened.prepare(ask)
    async with aclosing(opened.answer(prepared, _never)) as pieces:
        async for _ in pieces:
            pass


async def _close(started: Started) -> None:
    await started.pieces.aclose()


async def _never() -> bool:
    return False


async def _begun(pieces: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
    """The same pieces, once the first of them is there; none at all where the client left before."""
    try:
        first = await anext(pieces, None)
    except BaseException:
        await pieces.aclose()
        raise

    async def again() -> AsyncGenerator[Delta, None]:
        async with aclosing(pieces):
            if first is not None:
                yield first
            async for delta in pieces:
                yield delta

    return again()


def _passages(prepared: Prepared) -> AsyncGenerator[Delta, None]:
    """The passages that were found, as an answer.

    Raises:
        PredictorError: There are none, or the caller wants a form that they do not have.
    """
    if not prepared.citations or prepared.form is not None:
        raise PredictorError("the model gave no answer", remedy="try again later")
    text = "\n\n".join([OPENING, *(_quoted(at, one) for at, one in enumerate(prepared.citations, start=1))])
    exchange = current()
    exchange.output, exchange.finish = text, "stop"

    async def pieces() -> AsyncGenerator[Delta, None]:
        for choice in range(prepared.parameters.choices):
            yield Delta(text, 0, 0, "stop", choice)

    return pieces()


def _quoted(number: int, one: Citation) -> str:
    return f"[{number}] {one.path}, {one.heading}\n{one.text}"
