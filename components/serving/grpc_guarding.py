"""A gRPC call is handed to the guard as if it were a request.

So keys, deadline, metrics, access log, observers and errors are the same; the error's HTTP status becomes a
gRPC status.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import orjson

from components.serving.guard import App, Guard, Message, Receive, Scope, Send

#: Makes a guard around an app.
Guarding = Callable[[App], Guard]

OK = 200

#: HTTP status to gRPC status; what is not here is an error of ours.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


async def guarded(path: str, context: Any, call: Callable[[], Awaitable[Any]], guarding: Guarding) -> Any:
    """The answer of a call that the guard let through; otherwise its error ends the call."""
    sent: list[Message] = []
    answer: Any = None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal answer
        answer = await call()
        await send({"type": "http.response.start", "status": OK, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    words = context.invocation_metadata() or ()
    headers = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in words]
    await guarding(app)({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    begin, end = sent[0], sent[-1]
    trailing = tuple(
        (name.decode(), value.decode())
        for name, value in begin["headers"]
        if name.startswith(b"x-") or name.lower() == b"retry-after"
    )
    if begin["status"] != OK:
        message = orjson.loads(end["body"])["error"]["message"]
        code = CODES.get(begin["status"], grpc.StatusCode.INTERNAL)
        await context.abort(code, message, trailing_metadata=trailing)
    context.set_trailing_metadata(trailing)
    return answer
