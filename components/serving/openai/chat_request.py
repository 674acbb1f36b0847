"""What a caller of the chat API sends: OpenAI's fields as far as they are served."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from components.serving.llm.forms import Form, form_of
from components.serving.llm.predictor import Parameters
from components.serving.openai.fields import Closed, Extension, Generation, not_longer, read
from components.shared.config.serving import Serving
from components.shared.conversation import Message
from components.shared.errors import RequestError

MAX_MESSAGES = 200


class TextPart(Closed):
    """A part of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(Closed):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    @property
    def text(self) -> str:
        """Its text in one piece."""
        return self.content if isinstance(self.content, str) else "".join(one.text for one in self.content)


class JsonSchema(Closed):
    """A schema by name."""

    name: str = Field(min_length=1, max_length=100)
    """The caller's name of it."""
    description: str | None = Field(default=None, max_length=2_000)
    """The caller's description; not used."""
    schema_: dict[str, Any] = Field(alias="schema")
    """JSON Schema 2020-12 of the answer."""
    strict: bool | None = None
    """Every schema is held to strictly."""


class TextFormat(Closed):
    """Any text."""

    type: Literal["text"]


class ObjectFormat(Closed):
    """Any JSON object."""

    type: Literal["json_object"]


class SchemaFormat(Closed):
    """JSON by a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class ChatRequest(Generation):
    """`POST /openai/v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    """The conversation; the last message is the question, of role `user`."""
    max_completion_tokens: int | None = Field(default=None, ge=1)
    """OpenAI's newer word for `max_tokens`."""
    response_format: TextFormat | ObjectFormat | SchemaFormat | None = Field(
        default=None, discriminator="type"
    )
    """What the answer has to look like."""
    logprobs: Literal[False] | None = None
    """Not served."""
    top_logprobs: Literal[0] | None = None
    """Not served."""
    tools: None = None
    """Not served."""
    tool_choice: Literal["none", "auto"] | None = None
    """Not served."""
    parallel_tool_calls: bool | None = None
    """Not served: there is no tool to call."""
    modalities: list[Literal["text"]] | None = Field(default=None, max_length=1)
    """Text alone is served."""
    store: Literal[False] | None = None
    """Not served: what is kept is the service's policy, not the caller's."""
    service_tier: Literal["auto", "default"] | None = None
    """There is one tier."""
    twinstack: Extension = Extension()
    """Fields beyond OpenAI's."""

    def wanted_tokens(self) -> tuple[str, int | None]:
        """Field and value of the most tokens."""
        if self.max_completion_tokens is not None:
            return "max_completion_tokens", self.max_completion_tokens
        return super().wanted_tokens()

    def conversation(self) -> list[Message]:
        """The messages as plain text; `developer` is OpenAI's newer word for `system`."""
        return [
            {"role": "system" if one.role == "developer" else one.role, "content": one.text}
            for one in self.messages
        ]

    def parameters(self, limits: Serving) -> Parameters:
        """How to generate; see `Generation.parameters`."""
        made = super().parameters(limits)
        if self.response_format is None or self.response_format.type == "text":
            return made
        return replace(
            made, response_format=self.response_format.model_dump(by_alias=True, exclude_none=True)
        )

    def form(self) -> Form | None:
        """What the answer has to look like.

        Raises:
            RequestError: The schema cannot be used.
        """
        if isinstance(self.response_format, SchemaFormat):
            return form_of(self.response_format.json_schema.schema_)
        return Form() if isinstance(self.response_format, ObjectFormat) else None


def parse(body: bytes, limits: Serving) -> ChatRequest:
    """A checked request.

    Raises:
        RequestError: It is no JSON object, or a field is wrong or unknown.
        TooLargeError: A message is too long.
    """
    request = read(ChatRequest, body)
    for place, message in enumerate(request.messages):
        not_longer(message.text, f"messages[{place}].content", limits)
    if request.messages[-1].role != "user" or not request.messages[-1].text.strip():
        raise RequestError(
            f"messages[{len(request.messages) - 1}] is no question; allowed: a last message of role user "
            "that is not empty",
            param=f"messages[{len(request.messages) - 1}]",
        )
    return request
