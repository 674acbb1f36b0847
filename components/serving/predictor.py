"""What answers chat messages: a small Protocol, so that any backend can stand behind a front."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from components.shared.conversation import Message
from components.shared.errors import TwinError

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Parameters:
    """How to generate.

    Attributes:
        max_tokens: Most tokens to generate.
        temperature: 0 takes the likeliest token every time.
        top_p: Share of probability mass to sample from.
        seed: Makes sampling repeatable; None draws anew each time.
        stop: Texts that end the answer and are not part of it.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delta:
    """A piece of an answer; the last one carries why it ended.

    Attributes:
        text: What came since the piece before; may be empty.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens generated so far.
        finish: None until the last piece.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: Finish | None = None


class PredictorError(TwinError):
    """The predictor failed on a request that is itself in order."""

    http_status = 502
    kind = "predictor_error"


class ChatPredictor(Protocol):
    """A language model that answers several conversations at once."""

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens of the rendered conversation."""

    def stream(self, messages: Sequence[Message], parameters: Parameters) -> AsyncIterator[Delta]:
        """The answer piece by piece; closing the iterator stops the generation.

        Raises:
            PredictorError: The model fails.
        """

    def start(self) -> None:
        """Load, warm up and be ready; blocks."""

    def stop(self) -> None:
        """Release threads and memory."""
