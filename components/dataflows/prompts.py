"""Prompts: a template with one place for context; nothing that comes in is executed or interpreted."""

from collections.abc import Sequence
from typing import Protocol

Message = dict[str, str]

#: The one place in a template.
CONTEXT = "{context}"

NOTHING = "(no excerpt was found)"


class Excerpt(Protocol):
    """A chunk that goes into a prompt."""

    @property
    def path(self) -> str:
        """Its document."""

    @property
    def heading(self) -> str:
        """Headings above it."""

    @property
    def text(self) -> str:
        """Its text."""


def excerpts(chunks: Sequence[Excerpt]) -> str:
    """Chunks as numbered, delimited quotations; the numbers are what an answer cites."""
    return "\n\n".join(
        f"[{number}] {chunk.path} — {chunk.heading}\n{chunk.text.strip()}"
        if chunk.heading
        else f"[{number}] {chunk.path}\n{chunk.text.strip()}"
        for number, chunk in enumerate(chunks, start=1)
    )


def render(template: str, chunks: Sequence[Excerpt]) -> str:
    """The system prompt: the template with the excerpts in its place.

    A plain replacement of the one known place: braces in a chunk or a template mean nothing.
    """
    return template.strip().replace(CONTEXT, excerpts(chunks) or NOTHING)


def messages(system: str, question: str, history: Sequence[Message] = ()) -> list[Message]:
    """System prompt, earlier turns, and the question."""
    return [{"role": "system", "content": system}, *history, {"role": "user", "content": question}]
