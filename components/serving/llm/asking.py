"""What a caller wants of an LLM twin, once it is checked; and what it is when the model reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.serving.llm.forms import Form
from components.serving.llm.predictor import Parameters, Prompt
from components.shared.errors import NotFoundError
from components.shared.releases import Release

#: `auto` takes the chunks that are found, `off` none, `forced` refuses where nothing is found.
Retrieval = Literal["auto", "off", "forced"]


@dataclass(frozen=True)
class Page:
    """A page that the caller named by a link.

    Attributes:
        url: Where it was read, after redirects.
        title: Its title; may be empty.
        text: Its text.
    """

    url: str
    title: str
    text: str


@dataclass(frozen=True)
class Ask:
    """A checked request.

    Attributes:
        prompt: The conversation, or a text that goes to the model as it is.
        parameters: How to generate.
        retrieval: Whether to look for context; a raw prompt gets none.
        pages: Pages that the caller named, as further context.
        variables: Values of the prompt's variables.
        form: What the answer has to look like.
    """

    prompt: Prompt
    parameters: Parameters
    retrieval: Retrieval = "auto"
    pages: tuple[Page, ...] = ()
    variables: Mapping[str, str | int | float] = field(default_factory=dict)
    form: Form | None = None


@dataclass(frozen=True)
class Citation:
    """A chunk that was in the prompt.

    Attributes:
        path: Its document.
        heading: Where in the document.
        chunk_id: Its id in the index version.
        score: How well it fits the question; larger is better.
        text: The chunk itself.
    """

    path: str
    heading: str
    chunk_id: str
    score: float
    text: str


@dataclass(frozen=True)
class Prepared:
    """A question with its context, ready for the predictor.

    Attributes:
        release: Whose prompt and context it has.
        prompt: What the model reads.
        citations: Chunks in the prompt, best first.
        parameters: How to generate.
        form: What the answer has to look like.
    """

    release: Release
    prompt: Prompt
    citations: list[Citation]
    parameters: Parameters
    form: Form | None = None


class NothingFoundError(NotFoundError):
    """Retrieval was forced and the corpus holds nothing for the question."""

    http_status = 422
    kind = "nothing_found_error"
