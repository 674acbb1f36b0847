"""One release of an LLM twin, opened: finds context, renders the prompt, lets the model answer."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from components.dataflows import prompts
from components.serving.exchange import LEFT, Exchange, current, measured
from components.serving.llm.asking import Ask, Citation, NothingFoundError, Page, Prepared
from components.serving.llm.choices import Collected
from components.serving.llm.forming import formed
from components.serving.llm.predictor import ChatPredictor, Delta, Prompt
from components.serving.worker import Worker
from components.shared.config.costs import Prices
from components.shared.conversation import Message
from components.shared.errors import TooLargeError
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.llm import COST, FIRST_TOKEN_SECONDS, RETRIEVAL_SCORE, TOKENS
from components.shared.metrics.requests import DISCONNECTS
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.adapters.encoder import Vectors


class Retriever(Protocol):
    """Finds and renders context; called from one thread."""

    def find(self, question: str) -> list[Citation]:
        """Chunks for a question, best first."""

    def quote(self, question: str, page: Page) -> list[Citation]:
        """Passages of a page that fit a question, best first."""

    def embed(self, texts: Sequence[str]) -> "tuple[Vectors, int]":
        """Unit vectors of texts, shape (texts, dimensions), and the tokens that were read."""

    def prompt(self, citations: Sequence[Citation], variables: Mapping[str, str | int | float]) -> str:
        """The system prompt of the release with the chunks and the values in it."""


#: Texts that the encoder reads before somebody else's search gets its turn.
TEXTS = 16


class LlmRelease:
    """One release with its index and its predictor; any number of requests at a time.

    Args:
        release: What answers.
        context_tokens: Room for prompt and answer together.
        retriever: Finds context.
        predictor: Answers.
        instruments: Where stages and tokens are counted.
        prices: What its tokens cost.
        give_back: Called once it is closed: nothing of it is used any more.
    """

    def __init__(
        self,
        release: Release,
        context_tokens: int,
        retriever: Retriever,
        predictor: ChatPredictor,
        instruments: Instruments,
        prices: Prices | None = None,
        give_back: Callable[[], None] = lambda: None,
    ) -> None:
        self.release = release
        self._twin = release.twin
        self._room = context_tokens
        self._retriever = retriever
        self._predictor = predictor
        self._instruments = instruments
        self._prices = prices or Prices()
        self._give_back = give_back
        # One thread: encoder and index see one caller, and the event loop stays free.
        self._worker = Worker(f"retrieval-{release.id}")

    def close(self) -> None:
        """End its work and give back what it holds; blocks."""
        self._worker.close(wait=True)
        self._give_back()

    async def prepare(self, ask: Ask) -> Prepared:
        """Find context for the last question and put it before the conversation.

        Raises:
            NothingFoundError: Retrieval was forced and nothing is found.
            RequestError: A value of a variable is not allowed.
            TooLargeError: Prompt and conversation leave no room for an answer.
        """
        return await self._worker.run(self._prepare, ask)

    async def count(self, prompt: Prompt) -> int:
        """Tokens of what a caller sent, without the release's own prompt and chunks."""
        return await self._worker.run(self._predictor.count, prompt)

    async def embed(self, texts: Sequence[str]) -> "tuple[list[Vectors], int]":
        """Unit vectors of texts, in arrays of some of them, and the tokens that were read."""
        arrays, tokens = [], 0
        for start in range(0, len(texts), TEXTS):
            array, read = await self._worker.run(self._retriever.embed, texts[start : start + TEXTS])
            arrays.append(array)
            tokens += read
        exchange = current()
        exchange.inputs, exchange.prompt_tokens = list(texts), tokens
        self._instruments.add(TOKENS, tokens, self._twin, self.release.id, "prompt")
        return arrays, tokens

    def _prepare(self, ask: Ask) -> Prepared:
        exchange = current()
        exchange.inputs = ask.prompt
        if isinstance(ask.prompt, str):
            citations: list[Citation] = []
            prompt: Prompt = ask.prompt
            room = self._room - self._predictor.count(prompt)
        else:
            citations = self._find(ask, ask.prompt[-1]["content"])
            with measured(self._instruments, self._twin, "prompt"):
                prompt, citations, room = self._fitted(ask, list(ask.prompt), citations)
        if room < 1:
            raise TooLargeError(
                f"prompt and messages have {self._room - room} tokens, the model reads {self._room}",
                param="prompt" if isinstance(ask.prompt, str) else "messages",
                remedy="send a shorter conversation",
            )
        exchange.context = tuple(one.chunk_id for one in citations)
        exchange.scores = tuple(one.score for one in citations)
        exchange.passages = tuple(one.text for one in citations)
        parameters = replace(ask.parameters, max_tokens=min(ask.parameters.max_tokens, room))
        return Prepared(self.release, prompt, citations, parameters, ask.form)

    def _find(self, ask: Ask, question: str) -> list[Citation]:
        """Chunks of the corpus and passages of the caller's pages, the corpus first."""
        found: list[Citation] = []
        with measured(self._instruments, self._twin, "retrieval"):
            if ask.retrieval != "off":
                found = self._retriever.find(question)
            passages = [one for page in ask.pages for one in self._retriever.quote(question, page)]
        if found:
            self._instruments.observe(RETRIEVAL_SCORE, found[0].score, self._twin)
        elif ask.retrieval == "forced":
            raise _nothing_found()
        return [*passages, *found]

    def _fitted(
        self, ask: Ask, conversation: list[Message], citations: list[Citation]
    ) -> tuple[list[Message], list[Citation], int]:
        """Messages, the citations that fit, and the tokens that are left for the answer."""
        while True:
            system = self._retriever.prompt(citations, ask.variables)
            if ask.form is not None:
                system = f"{system}\n\n{ask.form.instruction}"
            messages = prompts.messages(system, conversation[-1]["content"], conversation[:-1])
            room = self._room - self._predictor.count(messages)
            if room >= ask.parameters.max_tokens or not citations:
                break
            # The worst chunk makes room for the answer.
            citations = citations[:-1]
        if not citations and ask.retrieval == "forced":
            raise _nothing_found()
        return messages, citations, room

    async def answer(
        self, prepared: Prepared, gone: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[Delta, None]:
        """The answers piece by piece, counted; they end early where the client has left.

        Where a form is asked for, each answer comes in one piece, once it has been checked; the pieces before
        it have no text.

        Args:
            prepared: From `prepare`.
            gone: Whether the client has left.

        Raises:
            FormError: No answer of the form came, in two tries.
            PredictorError: The model fails.
        """
        exchange = current()
        said, left = Collected(prepared.parameters.choices), False

        try:
            with measured(self._instruments, self._twin, "predictor"):
                async with aclosing(self._stream(prepared)) as pieces:
                    async for delta in pieces:
                        if not exchange.first_token:
                            exchange.first_token = time.perf_counter() - exchange.started
                            self._instruments.observe(FIRST_TOKEN_SECONDS, exchange.first_token, self._twin)
                        said.take(delta)
                        _note(exchange, said)
                        yield delta
                        if not said.done and await gone():
                            break
            left = not said.done
        except (GeneratorExit, asyncio.CancelledError):
            # Before the first token it is the release that is given up, not the answer that is left.
            left = bool(exchange.first_token) and not said.done and not _is_late(exchange)
            raise
        finally:
            if left:
                self._instruments.add(DISCONNECTS, 1, self._twin)
                exchange.broken = LEFT
            exchange.cost = self._prices.of_tokens(said.prompt_tokens, said.completion_tokens)
            for kind, count in (("prompt", said.prompt_tokens), ("completion", said.completion_tokens)):
                self._instruments.add(TOKENS, count, self._twin, self.release.id, kind)
            self._instruments.add(COST, exchange.cost, self._twin, self.release.id)

    def _stream(self, prepared: Prepared) -> AsyncGenerator[Delta, None]:
        if prepared.form is not None:
            return formed(self._predictor, prepared.prompt, prepared.parameters, prepared.form)
        return self._predictor.stream(prepared.prompt, prepared.parameters)


def _is_late(exchange: Exchange) -> bool:
    return exchange.deadline is not None and asyncio.get_running_loop().time() >= exchange.deadline


def _note(exchange: Exchange, said: Collected) -> None:
    """Keep what has been said, so that an answer that breaks off is known as far as it went."""
    exchange.output = said.texts[0] if said.choices == 1 else list(said.texts)
    exchange.prompt_tokens, exchange.completion_tokens = said.prompt_tokens, said.completion_tokens
    exchange.finish = said.finishes.get(0, "")


def _nothing_found() -> NothingFoundError:
    return NothingFoundError(
        "nothing in the corpus was found for this question, or none of it fits",
        param="twinstack.retrieval",
        remedy="ask otherwise, or send retrieval `auto`",
    )
