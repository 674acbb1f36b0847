"""Answers of the chat API, in the openai package's own types, with the citations in an extension field."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from pydantic import BaseModel

from components.serving.llm.asking import Citation
from components.serving.llm.choices import Collected
from components.serving.llm.predictor import Delta


@dataclass(frozen=True)
class Writer:
    """Writes the answers of one request.

    Attributes:
        name: Id of the completion.
        model: Name of the twin.
        release: Release that answers.
        index: Index version that was searched.
        citations: Chunks in the prompt, best first; the prompt numbers them from 1 in this order.
        choices: How many answers there are.
        answered_by: `model`, or what answered instead of it.
    """

    name: str
    model: str
    release: str
    index: str
    citations: Sequence[Citation]
    choices: int = 1
    answered_by: str = "model"

    def whole(self, said: Collected) -> bytes:
        """The answer of a request without stream, as JSON."""
        choices = [
            Choice(
                index=at,
                message=ChatCompletionMessage(role="assistant", content=text),
                finish_reason=said.finishes[at],
            )
            for at, text in enumerate(said.texts)
        ]
        made = ChatCompletion(
            id=self.name,
            object="chat.completion",
            created=int(time.time()),
            model=self.model,
            choices=choices,
            usage=usage(said),
            **self._extension(),
        )
        return made.model_dump_json(exclude_unset=True).encode()

    def first(self) -> bytes:
        """The event that opens a stream: the role, and what the answer will rest on."""
        opened = [
            ChunkChoice(index=at, delta=ChoiceDelta(role="assistant", content=""))
            for at in range(self.choices)
        ]
        return self._event(opened, **self._extension())

    def piece(self, delta: Delta) -> bytes:
        """The event of a piece of text; the last one of a choice says why it ended."""
        words = ChoiceDelta(content=delta.text) if delta.text else ChoiceDelta()
        return self._event([ChunkChoice(index=delta.choice, delta=words, finish_reason=delta.finish)])

    def counts(self, said: Collected) -> bytes:
        """The event that counts the tokens, after the last piece."""
        return self._event([], usage=usage(said))

    def _event(self, choices: list[ChunkChoice], **more: Any) -> bytes:
        made = ChatCompletionChunk(
            id=self.name,
            object="chat.completion.chunk",
            created=int(time.time()),
            model=self.model,
            choices=choices,
            **more,
        )
        return event(made)

    def _extension(self) -> dict[str, Any]:
        cited = [asdict(one) for one in self.citations]
        return {
            "twinstack": {
                "release": self.release,
                "answered_by": self.answered_by,
                "index_version": self.index,
                "citations": cited,
            }
        }


DONE = b"data: [DONE]\n\n"


def event(made: BaseModel) -> bytes:
    """A server-sent event."""
    return b"data: " + made.model_dump_json(exclude_unset=True).encode() + b"\n\n"


def usage(said: Collected) -> CompletionUsage:
    """Tokens of all choices; the prompt counts once."""
    return CompletionUsage(
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        total_tokens=said.prompt_tokens + said.completion_tokens,
    )
