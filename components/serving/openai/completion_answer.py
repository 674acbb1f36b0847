"""Answers of the completions API, in the openai package's own types."""

import time
from dataclasses import dataclass
from typing import Any

from openai.types import Completion, CompletionChoice

from components.serving.llm.choices import Collected
from components.serving.llm.predictor import Delta
from components.serving.openai.chat_answer import event, usage


@dataclass(frozen=True)
class TextWriter:
    """Writes the answers of one request.

    Attributes:
        name: Id of the completion.
        model: Name of the twin.
        release: Release that answers.
    """

    name: str
    model: str
    release: str

    def whole(self, said: Collected) -> bytes:
        """The answer of a request without stream, as JSON."""
        choices = [
            CompletionChoice(index=at, text=text, finish_reason=said.finishes[at])
            for at, text in enumerate(said.texts)
        ]
        made = self._made(choices, usage=usage(said), twinstack={"release": self.release})
        return made.model_dump_json(exclude_unset=True).encode()

    def first(self) -> bytes:
        """The event that opens a stream."""
        return event(self._made([], twinstack={"release": self.release}))

    def piece(self, delta: Delta) -> bytes:
        """The event of a piece of text; the last one of a choice says why it ended."""
        # OpenAI's stream says null until the last piece, which the type of a whole answer does not know.
        fields: dict[str, Any] = {"index": delta.choice, "text": delta.text, "finish_reason": delta.finish}
        choice = CompletionChoice.model_construct(**fields)
        return event(self._made([choice]))

    def counts(self, said: Collected) -> bytes:
        """The event that counts the tokens, after the last piece."""
        return event(self._made([], usage=usage(said)))

    def _made(self, choices: list[CompletionChoice], **more: Any) -> Completion:
        return Completion.model_construct(
            id=self.name,
            object="text_completion",
            created=int(time.time()),
            model=self.model,
            choices=choices,
            **more,
        )
