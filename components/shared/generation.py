"""Generating text: what a model is asked, and what comes back piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.shared.conversation import Message
from components.shared.errors import TwinError

Finish = Literal["stop", "length"]

#: A conversation, which the model's chat template renders; or a text that goes to the model as it is.
Prompt = Sequence[Message] | str


@dataclass(frozen=True)
class Parameters:
    """How to generate.

    Attributes:
        max_tokens: Most tokens to generate in one answer.
        temperature: 0 takes the likeliest token every time.
        top_p: Share of probability mass to sample from.
        seed: Makes sampling repeatable; None draws anew each time.
        stop: Texts that end the answer and are not part of it.
        choices: Answers to one prompt.
        response_format: OpenAI's field as the caller sent it, for backends that enforce it by themselves.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    choices: int = 1
    response_format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """A whole answer and what it took.

    Attributes:
        text: What was said.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens generated.
        seconds: Time of the model; of answers that were made together, each has its share of it.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class Delta:
    """A piece of an answer; the last one of each choice carries why it ended.

    Attributes:
        text: What came since the piece before; may be empty.
        prompt_tokens: Tokens of the prompt, counted once for all choices.
        completion_tokens: Tokens generated so far, of all choices together.
        finish: None until the last piece of a choice.
        choice: Which of the answers it belongs to, from 0.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: Finish | None = None
    choice: int = 0


class PredictorError(TwinError):
    """The predictor failed on a request that is itself in order."""

    http_status = 502
    kind = "predictor_error"


class PredictorLateError(PredictorError):
    """The predictor gave no answer in time. It is not asked a second time for the same request."""

    http_status = 504
    kind = "predictor_late_error"
