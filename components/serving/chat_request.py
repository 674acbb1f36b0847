"""What a caller of the chat API sends: OpenAI's fields as far as they are served, each within its bounds."""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.serving.predictor import Parameters
from components.serving.problems import malformed
from components.shared.config.root import Serving
from components.shared.conversation import Message
from components.shared.errors import RequestError, TooLargeError

#: Tokens of an answer where the caller does not say; at 20 tokens a second that is six seconds.
DEFAULT_TOKENS = 128

MAX_MESSAGES = 200


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TextPart(_Closed):
    """A part of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(_Closed):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    @property
    def text(self) -> str:
        """Its text in one piece."""
        return self.content if isinstance(self.content, str) else "".join(one.text for one in self.content)


class StreamOptions(_Closed):
    """Settings of a stream."""

    include_usage: bool = False


Stop = Annotated[str, Field(min_length=1, max_length=200)]


class ChatRequest(_Closed):
    """`POST /openai/v1/chat/completions`."""

    model: str = Field(min_length=1, max_length=100)
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    user: str | None = Field(default=None, max_length=500)
    # Known to the OpenAI client, served at their neutral value only.
    n: Literal[1] | None = None
    frequency_penalty: Literal[0] | None = None
    presence_penalty: Literal[0] | None = None

    def parameters(self, limits: Serving) -> Parameters:
        """How to generate.

        Raises:
            RequestError: More tokens are wanted than the service gives.
        """
        field = "max_completion_tokens" if self.max_completion_tokens is not None else "max_tokens"
        wanted = getattr(self, field)
        if wanted is not None and wanted > limits.max_output_tokens:
            raise RequestError(
                f"{field} is {wanted}; allowed: 1 to {limits.max_output_tokens}",
                param=field,
                remedy="ask for less, or raise serving.max_output_tokens",
            )
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Parameters(
            max_tokens=wanted or min(DEFAULT_TOKENS, limits.max_output_tokens),
            temperature=0.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=stop,
        )

    def conversation(self) -> list[Message]:
        """The messages as plain text; `developer` is OpenAI's newer word for `system`."""
        return [
            {"role": "system" if one.role == "developer" else one.role, "content": one.text}
            for one in self.messages
        ]


def parse(body: bytes, limits: Serving) -> ChatRequest:
    """A checked request.

    Raises:
        RequestError: It is no JSON object, or a field is wrong or unknown.
        TooLargeError: A message is too long.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error}", param="body", remedy="send UTF-8 JSON") from None
    if not isinstance(found, dict):
        raise RequestError(
            "the body is not an object", param="body", remedy='send {"model": "…", "messages": […]}'
        )
    try:
        request = ChatRequest.model_validate(found)
    except ValidationError as error:
        raise malformed(list(error.errors(include_url=False, include_input=False))) from None
    for place, message in enumerate(request.messages):
        if (length := len(message.text)) > limits.max_question_characters:
            raise TooLargeError(
                f"messages[{place}].content has {length} characters, more than "
                f"{limits.max_question_characters}",
                param=f"messages[{place}].content",
                remedy="shorten it, or raise serving.max_question_characters",
            )
    if request.messages[-1].role != "user" or not request.messages[-1].text.strip():
        raise RequestError(
            f"messages[{len(request.messages) - 1}] is no question; allowed: a last message of role user "
            "that is not empty",
            param=f"messages[{len(request.messages) - 1}]",
        )
    return request
