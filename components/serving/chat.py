"""OpenAI's chat API on KServe's server: its own router, because KServe's needs vLLM to be imported."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from openai.types import Model

from components.serving import chat_request, problems
from components.serving.chat_answer import DONE, Writer
from components.serving.exchange import current
from components.serving.llm import LlmFront
from components.serving.llm_release import Prepared
from components.serving.predictor import Delta
from components.shared.config.root import Serving
from components.shared.errors import NotFoundError

log = logging.getLogger("twinstack.serving")

#: Status of an answer to a client that has left; nobody reads it, but the log and the metrics do.
LEFT = 499


def router(fronts: Mapping[str, LlmFront], limits: Serving) -> APIRouter:
    """The routes below `/openai/v1`.

    Args:
        fronts: Twin to its front.
        limits: Sizes that are refused.
    """
    made = APIRouter(prefix="/openai/v1", tags=["OpenAI"])

    @made.post("/chat/completions", response_model=None)
    async def completions(request: Request) -> Response:
        """Answer a conversation, whole or as a stream of events."""
        asked = chat_request.parse(await request.body(), limits)
        front = _front(fronts, asked.model)
        prepared = await front.prepare(asked.conversation(), asked.parameters(limits))
        writer = Writer(
            name=f"chatcmpl-{current().request_id}",
            model=front.name,
            release=front.release.id,
            index=front.release.index_version,
            citations=prepared.citations,
        )
        if asked.stream:
            counted = asked.stream_options is not None and asked.stream_options.include_usage
            events = _events(front, prepared, writer, request, counted=counted)
            return StreamingResponse(
                events, media_type="text/event-stream", headers={"cache-control": "no-cache"}
            )
        return await _whole(front, prepared, writer, request)

    @made.get("/models", response_model=None)
    async def models() -> Response:
        """Every LLM twin."""
        data = [_model(front) for front in fronts.values()]
        return _json({"object": "list", "data": data})

    @made.get("/models/{name}", response_model=None)
    async def model(name: str) -> Response:
        """One LLM twin."""
        return _json(_model(_front(fronts, name)))

    return made


def _front(fronts: Mapping[str, LlmFront], name: str) -> LlmFront:
    if name not in fronts:
        raise NotFoundError(
            f"no LLM twin {name[:60]!r} is served here",
            param="model",
            remedy=f"use one of: {', '.join(fronts) or 'none'}",
        )
    return fronts[name]


async def _whole(front: LlmFront, prepared: Prepared, writer: Writer, request: Request) -> Response:
    parts: list[str] = []
    last: Delta | None = None
    async with aclosing(front.answer(prepared, request.is_disconnected)) as pieces:
        async for last in pieces:
            parts.append(last.text)
    if last is None or last.finish is None:
        return Response(status_code=LEFT)
    return Response(writer.whole("".join(parts), last), media_type="application/json")


async def _events(
    front: LlmFront, prepared: Prepared, writer: Writer, request: Request, *, counted: bool
) -> AsyncIterator[bytes]:
    last: Delta | None = None
    yield writer.first()
    try:
        async with aclosing(front.answer(prepared, request.is_disconnected)) as pieces:
            async for last in pieces:
                yield writer.piece(last)
    except Exception as error:  # the status is out already; the stream itself has to say it
        yield b"data: " + orjson.dumps(problems.body(problems.translate(error))) + b"\n\n"
        return
    if counted and last is not None:
        yield writer.usage(last)
    yield DONE


def _model(front: LlmFront) -> dict[str, object]:
    made = Model(id=front.name, object="model", created=0, owned_by="twinstack")
    return {**made.model_dump(), "twinstack": {"release": front.release.id}}


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
