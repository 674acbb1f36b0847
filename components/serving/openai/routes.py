"""OpenAI's API on KServe's server: our own routes, because KServe's need vLLM to be imported."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson
from fastapi import APIRouter, Request, Response
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion

from components.adapters.web import links
from components.serving.exchange import current
from components.serving.llm.asking import Ask, Page
from components.serving.llm.front import LlmFront
from components.serving.openai import answering, chat_request, completion_request, embedding_request
from components.serving.openai.chat_answer import Writer
from components.serving.openai.chat_request import ChatRequest
from components.serving.openai.completion_answer import TextWriter
from components.serving.openai.completion_request import CompletionRequest
from components.serving.openai.embedding_request import EmbeddingRequest
from components.serving.openapi import body_of
from components.shared.config.links import Links
from components.shared.config.serving import Serving
from components.shared.errors import NotFoundError, RequestError

if TYPE_CHECKING:
    from components.adapters.encoder import Vectors

PREFIX = "/openai/v1"


@dataclass(frozen=True)
class Routes:
    """What answers below `/openai/v1`.

    Attributes:
        fronts: Twin to its front.
        limits: Sizes that are refused.
    """

    fronts: Mapping[str, LlmFront]
    limits: Serving

    async def chat(self, request: Request) -> Response:
        """Answer a conversation, whole or as a stream of events."""
        asked = chat_request.parse(await request.body(), self.limits)
        front = self._front(asked.model)
        current().stick_to(asked.user)
        reads = partial(_pages, asked.twinstack.links, self.limits.links) if asked.twinstack.links else None
        started = await front.begin(_ask(asked, self.limits), request.is_disconnected, reads)
        prepared = started.prepared
        writer = Writer(
            name=f"chatcmpl-{current().request_id}",
            model=front.name,
            release=prepared.release.id,
            index=prepared.release.index_version,
            citations=prepared.citations,
            choices=prepared.parameters.choices,
            answered_by=current().answered,
        )
        if asked.stream:
            return answering.stream(started, writer, counted=asked.counted)
        return await answering.whole(started, writer)

    async def completions(self, request: Request) -> Response:
        """Go on with a text, without the twin's prompt and without context."""
        asked = completion_request.parse(await request.body(), self.limits)
        front = self._front(asked.model)
        current().stick_to(asked.user)
        ask = Ask(asked.prompt, asked.parameters(self.limits))
        started = await front.begin(ask, request.is_disconnected)
        writer = TextWriter(f"cmpl-{current().request_id}", front.name, started.prepared.release.id)
        if asked.stream:
            return answering.stream(started, writer, counted=asked.counted)
        return await answering.whole(started, writer)

    async def embeddings(self, request: Request) -> Response:
        """Vectors of texts, by the encoder that the twin's release searches with."""
        asked = embedding_request.parse(await request.body(), self.limits)
        front = self._front(asked.model)
        arrays, tokens = await front.embed(asked.texts)
        _same_size(asked.dimensions, arrays[0].shape[1])
        data = [
            {"object": "embedding", "index": at, "embedding": vector}
            for at, vector in enumerate(_vectors(arrays, asked.encoding_format))
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return _json({"object": "list", "data": data, "model": front.name, "usage": usage})

    async def models(self) -> Response:
        """Every LLM twin that the caller may ask."""
        caller = current()
        data = [_model(front) for name, front in self.fronts.items() if caller.reaches(name)]
        return _json({"object": "list", "data": data})

    async def model(self, name: str) -> Response:
        """One LLM twin."""
        return _json(_model(self._front(name)))

    def _front(self, name: str) -> LlmFront:
        caller = current()
        caller.require_twin(name)
        if name not in self.fronts:
            known = [one for one in self.fronts if caller.reaches(one)]
            raise NotFoundError(
                f"no LLM twin {name[:60]!r} is served here",
                param="model",
                remedy=f"use one of: {', '.join(known) or 'none'}",
            )
        return self.fronts[name]


def router(fronts: Mapping[str, LlmFront], limits: Serving) -> APIRouter:
    """The routes below `/openai/v1`.

    Args:
        fronts: Twin to its front.
        limits: Sizes that are refused.
    """
    made, routes = APIRouter(prefix=PREFIX, tags=["OpenAI"]), Routes(fronts, limits)
    for path, answer, body, said in (
        ("/chat/completions", routes.chat, ChatRequest, ChatCompletion),
        ("/completions", routes.completions, CompletionRequest, Completion),
        ("/embeddings", routes.embeddings, EmbeddingRequest, CreateEmbeddingResponse),
    ):
        route = made.post(
            path, response_model=None, responses={200: {"model": said}}, openapi_extra=body_of(body)
        )
        route(answer)
    made.get("/models", response_model=None)(routes.models)
    made.get("/models/{name}", response_model=None)(routes.model)
    return made


def _ask(asked: chat_request.ChatRequest, limits: Serving) -> Ask:
    return Ask(
        prompt=asked.conversation(),
        parameters=asked.parameters(limits),
        retrieval=asked.twinstack.retrieval,
        variables=asked.twinstack.variables,
        form=asked.form(),
    )


async def _pages(urls: Sequence[str], settings: Links) -> tuple[Page, ...]:
    """Pages that a request names, one after the other, so that a caller cannot multiply itself."""
    pages = []
    for place, url in enumerate(urls):
        found = await links.fetch(url, settings, f"twinstack.links[{place}]")
        pages.append(Page(found.url, found.title, found.text))
    return tuple(pages)


def _same_size(wanted: int | None, size: int) -> None:
    if wanted is not None and wanted != size:
        raise RequestError(
            f"dimensions is {wanted}; the encoder of this twin has {size}",
            param="dimensions",
            remedy=f"leave it out, or send {size}",
        )


def _vectors(arrays: "list[Vectors]", encoding: str) -> "list[str] | list[list[float]]":
    """Every vector, as OpenAI writes it."""
    if encoding == "base64":
        return [base64.b64encode(row.astype("<f4").tobytes()).decode() for array in arrays for row in array]
    return [row for array in arrays for row in array.tolist()]


def _model(front: LlmFront) -> dict[str, object]:
    made = Model(id=front.name, object="model", created=0, owned_by="twinstack")
    return {**made.model_dump(), "twinstack": {"release": front.release.id}}


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
