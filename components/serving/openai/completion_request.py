"""What a caller of the completions API sends: a text that the model goes on with."""

from typing import Literal

from pydantic import Field

from components.serving.openai.fields import Generation, not_longer, read
from components.shared.config.serving import Serving


class CompletionRequest(Generation):
    """`POST /openai/v1/completions`: the model of the twin, without its prompt and without context."""

    prompt: str = Field(min_length=1)
    """The text to go on with; it goes to the model as it is."""
    echo: Literal[False] | None = None
    """Not served."""
    best_of: Literal[1] | None = None
    """Not served."""
    logprobs: None = None
    """Not served."""
    suffix: None = None
    """Not served."""


def parse(body: bytes, limits: Serving) -> CompletionRequest:
    """A checked request.

    Raises:
        RequestError: It is no JSON object, or a field is wrong or unknown.
        TooLargeError: The prompt is too long.
    """
    request = read(CompletionRequest, body)
    not_longer(request.prompt, "prompt", limits)
    return request
