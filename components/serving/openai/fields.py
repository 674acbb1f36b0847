"""Fields that several requests of OpenAI's API share, each within its bounds, and how a body is read."""

from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.serving.llm.asking import Retrieval
from components.serving.llm.predictor import Parameters
from components.serving.problems import malformed
from components.shared.config.serving import Serving
from components.shared.errors import RequestError, TooLargeError

#: Tokens of an answer where the caller does not say; at 20 tokens a second that is six seconds.
DEFAULT_TOKENS = 128

MAX_LINKS = 5


class Closed(BaseModel):
    """A part of a request: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class StreamOptions(Closed):
    """Settings of a stream."""

    include_usage: bool = False
    """Whether one more event counts the tokens."""


class Extension(Closed):
    """What OpenAI's API does not have; the official client sends it by `extra_body`."""

    retrieval: Retrieval = "auto"
    """`off` looks for no context; `forced` refuses where none is found."""
    links: list[Annotated[str, Field(min_length=1, max_length=2_000)]] = Field(
        default=[], max_length=MAX_LINKS
    )
    """Pages to read as further context, where `serving.links` allows it."""
    variables: dict[
        Annotated[str, Field(max_length=60)], Annotated[str, Field(max_length=8_000)] | int | float
    ] = Field(default={}, max_length=20)
    """Values of the prompt's declared variables."""


Stop = Annotated[str, Field(min_length=1, max_length=200)]


class Nothing(Closed):
    """An object without fields."""


class Generation(Closed):
    """How to generate."""

    model: str = Field(min_length=1, max_length=100)
    """Name of the twin."""
    stream: bool = False
    """Whether the answer comes as events."""
    stream_options: StreamOptions | None = None
    """Settings of the stream."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """0, the default, takes the likeliest token every time."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Share of probability mass to sample from."""
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    """Makes sampling repeatable."""
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    """Texts that end the answer and are not part of it."""
    n: int | None = Field(default=None, ge=1, le=64)
    """Answers to the one question."""
    user: str | None = Field(default=None, max_length=500)
    """The caller's word for its user; it keeps the user at one release of a canary."""
    frequency_penalty: Literal[0] | None = None
    """Not served."""
    presence_penalty: Literal[0] | None = None
    """Not served."""
    logit_bias: Nothing | None = None
    """Not served."""

    @property
    def counted(self) -> bool:
        """Whether the stream counts tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    def wanted_tokens(self) -> tuple[str, int | None]:
        """Field and value of the most tokens."""
        return "max_tokens", self.max_tokens

    def parameters(self, limits: Serving) -> Parameters:
        """How to generate.

        Raises:
            RequestError: More tokens or answers are wanted than the service gives.
        """
        field, wanted = self.wanted_tokens()
        if wanted is not None and wanted > limits.max_output_tokens:
            raise RequestError(
                f"{field} is {wanted}; allowed: 1 to {limits.max_output_tokens}",
                param=field,
                remedy="ask for less, or raise serving.max_output_tokens",
            )
        choices = self.n or 1
        if choices > (most := limits.limits.max_choices):
            raise RequestError(
                f"n is {choices}; allowed: 1 to {most}",
                param="n",
                remedy="ask for less, or raise serving.limits.max_choices",
            )
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Parameters(
            max_tokens=wanted or min(DEFAULT_TOKENS, limits.max_output_tokens),
            temperature=0.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=stop,
            choices=choices,
        )


Request = TypeVar("Request", bound=Closed)


def read(kind: type[Request], body: bytes) -> Request:
    """A checked request.

    Raises:
        RequestError: It is no JSON object, or a field is wrong or unknown.
    """
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error}", param="body", remedy="send UTF-8 JSON") from None
    if not isinstance(found, dict):
        raise RequestError(
            "the body is not an object", param="body", remedy='send {"model": "…", …}, see /openapi.json'
        )
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise malformed(list(error.errors(include_url=False, include_input=False))) from None


def not_longer(text: str, field: str, limits: Serving) -> None:
    """Hold a text to its limit.

    Raises:
        TooLargeError: It is longer.
    """
    if len(text) > limits.max_question_characters:
        raise TooLargeError(
            f"{field} has {len(text)} characters, more than {limits.max_question_characters}",
            param=field,
            remedy="shorten it, or raise serving.max_question_characters",
        )
