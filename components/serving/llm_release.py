"""One release of an LLM twin, opened: finds context, renders the prompt, lets the model answer."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from components.dataflows import prompts
from components.serving.chat_answer import Citation
from components.serving.exchange import Exchange, current, measured, on
from components.serving.predictor import ChatPredictor, Delta, Parameters
from components.shared.conversation import Message
from components.shared.errors import TooLargeError
from components.shared.metrics import (
    DISCONNECTS,
    FIRST_TOKEN_SECONDS,
    RETRIEVAL_SCORE,
    TOKENS,
    Instruments,
)
from components.shared.releases import Release


class Retriever(Protocol):
    """Finds and renders context; called from one thread."""

    def find(self, question: str) -> list[Citation]:
        """Chunks for a question, best first."""

    def prompt(self, citations: Sequence[Citation]) -> str:
        """The system prompt of the release with the chunks in it."""

    def close(self) -> None:
        """Release files and memory."""


@dataclass(frozen=True)
class Prepared:
    """A question with its context, ready for the predictor."""

    messages: list[Message]
    citations: list[Citation]
    parameters: Parameters


class LlmRelease:
    """One release with its index and its predictor; any number of requests at a time.

    Args:
        release: What answers.
        context_tokens: Room for prompt and answer together.
        retriever: Finds context.
        predictor: Answers.
        instruments: Where stages and tokens are counted.
    """

    def __init__(
        self,
        release: Release,
        context_tokens: int,
        retriever: Retriever,
        predictor: ChatPredictor,
        instruments: Instruments,
    ) -> None:
        self.release = release
        self._twin = release.twin
        self._room = context_tokens
        self._retriever = retriever
        self._predictor = predictor
        self._instruments = instruments
        # One thread: encoder and index see one caller, and the event loop stays free.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"retrieval-{self._twin}")

    def close(self) -> None:
        """Stop generating and release everything; blocks."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._predictor.stop()
        self._retriever.close()

    async def prepare(self, conversation: list[Message], parameters: Parameters) -> Prepared:
        """Find context for the last question and put it before the conversation.

        Raises:
            TooLargeError: Prompt and conversation leave no room for an answer.
        """
        return await on(self._worker, self._prepare, conversation, parameters)

    def _prepare(self, conversation: list[Message], parameters: Parameters) -> Prepared:
        with measured(self._instruments, self._twin, "retrieval"):
            citations = self._retriever.find(conversation[-1]["content"])
        if citations:
            self._instruments.observe(RETRIEVAL_SCORE, citations[0].score, self._twin)
        with measured(self._instruments, self._twin, "prompt"):
            while True:
                system = self._retriever.prompt(citations)
                messages = prompts.messages(system, conversation[-1]["content"], conversation[:-1])
                room = self._room - self._predictor.count(messages)
                if room >= parameters.max_tokens or not citations:
                    break
                # The worst chunk makes room for the answer.
                citations = citations[:-1]
        if room < 1:
            raise TooLargeError(
                f"prompt and messages have {self._room - room} tokens, the model reads {self._room}",
                param="messages",
                remedy="send a shorter conversation",
            )
        exchange = current()
        exchange.inputs = conversation
        exchange.context = tuple(one.chunk_id for one in citations)
        exchange.scores = tuple(one.score for one in citations)
        return Prepared(messages, citations, replace(parameters, max_tokens=min(parameters.max_tokens, room)))

    async def answer(
        self, prepared: Prepared, gone: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[Delta, None]:
        """The answer piece by piece, counted; it ends early where the client has left.

        Args:
            prepared: From `prepare`.
            gone: Whether the client has left.

        Raises:
            PredictorError: The model fails.
        """
        exchange = current()
        last: Delta | None = None
        try:
            with measured(self._instruments, self._twin, "predictor"):
                async with aclosing(self._stream(prepared)) as pieces:
                    async for delta in pieces:
                        if last is None:
                            exchange.first_token = time.perf_counter() - exchange.started
                            self._instruments.observe(FIRST_TOKEN_SECONDS, exchange.first_token, self._twin)
                        last = delta
                        self._note(exchange, delta)
                        yield delta
                        if delta.finish is None and await gone():
                            break
        finally:
            if last is None or last.finish is None:
                self._instruments.add(DISCONNECTS, 1, self._twin)
            if last is not None:
                for kind, count in (("prompt", last.prompt_tokens), ("completion", last.completion_tokens)):
                    self._instruments.add(TOKENS, count, self._twin, self.release.id, kind)

    @staticmethod
    def _note(exchange: Exchange, delta: Delta) -> None:
        """Keep what has been said, so that an answer that breaks off is known as far as it went."""
        exchange.output = (exchange.output or "") + delta.text
        exchange.prompt_tokens, exchange.completion_tokens = delta.prompt_tokens, delta.completion_tokens
        exchange.finish = delta.finish or ""

    def _stream(self, prepared: Prepared) -> Any:
        return self._predictor.stream(prepared.messages, prepared.parameters)
