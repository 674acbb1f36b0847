"""How an LLM's answer goes out, whole or as events; the same for chat and completions."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Protocol

import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse

from components.serving import problems
from components.serving.exchange import LEFT, current
from components.serving.llm.asking import Prepared
from components.serving.llm.choices import Collected
from components.serving.llm.front import Started
from components.serving.llm.predictor import Delta
from components.serving.openai.chat_answer import DONE

#: Ids of the chunks in the prompt, best first, separated by commas; at most so many of them.
CITATIONS, MAX_CITATIONS = "x-twinstack-citations", 20


class Writes(Protocol):
    """Writes the answers of one request."""

    def whole(self, said: Collected) -> bytes:
        """The answer of a request without stream, as JSON."""

    def first(self) -> bytes:
        """The event that opens a stream."""

    def piece(self, delta: Delta) -> bytes:
        """The event of a piece of text."""

    def counts(self, said: Collected) -> bytes:
        """The event that counts the tokens."""


async def whole(started: Started, writer: Writes) -> Response:
    """The answers in one JSON body."""
    said = Collected(started.prepared.parameters.choices)
    async with aclosing(started.pieces) as pieces:
        async for delta in pieces:
            said.take(delta)
    if not said.done:
        return Response(status_code=LEFT)
    return Response(writer.whole(said), media_type="application/json", headers=_headers(started.prepared))


def stream(started: Started, writer: Writes, *, counted: bool) -> Response:
    """The answers as server-sent events.

    Args:
        started: The answers.
        writer: Writes the events.
        counted: Whether one more event counts the tokens.
    """
    events = _events(started, writer, counted=counted)
    headers = {"cache-control": "no-cache", **_headers(started.prepared)}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(started: Started, writer: Writes, *, counted: bool) -> AsyncIterator[bytes]:
    said = Collected(started.prepared.parameters.choices)
    yield writer.first()
    try:
        async with aclosing(started.pieces) as pieces:
            async for delta in pieces:
                said.take(delta)
                if delta.text or delta.finish:
                    yield writer.piece(delta)
        if counted:
            yield writer.counts(said)
        # A client takes this for the end, so the answer has to be kept before it.
        current().observe()
    except Exception as error:  # the status is out already; the stream itself has to say it
        found = problems.translate(error)
        current().broken = found.http_status
        current().count(found)
        yield b"data: " + orjson.dumps(problems.body(found)) + b"\n\n"
        return
    yield DONE


def _headers(prepared: Prepared) -> dict[str, str]:
    ids = [one.chunk_id for one in prepared.citations[:MAX_CITATIONS]]
    return {CITATIONS: ",".join(ids)} if ids else {}
