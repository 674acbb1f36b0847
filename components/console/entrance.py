"""What stands before every route of the operations API: request id, size, key and role, limits, errors."""

import logging
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from components.console.limits import LOCAL, Limits
from components.runtime.keys import Keys
from components.shared.config import Config
from components.shared.config.console import Console
from components.shared.errors import NotFoundError, RequestError, TooLargeError, TwinError
from components.shared.identity import Key, Role, presented
from components.shared.metrics.instruments import Instruments

log = logging.getLogger("twinstack.console")

REQUEST_ID = "x-request-id"

#: Attribute of a dependency: the role that it asks for, for the documentation.
ROLE = "needs_role"

#: What anybody may ask; everything else, the description too, needs a key.
OPEN = ("/healthz", "/metrics")

NOT_FOUND, NOT_ALLOWED, INTERNAL = 404, 405, 500


class MethodError(RequestError):
    """The path exists, the method does not."""

    http_status = NOT_ALLOWED
    kind = "method_not_allowed_error"


def caller(role: Role) -> Callable[[Request], Key]:
    """A dependency: the key of a request, which has to have a role.

    Args:
        role: What the route needs.
    """

    def found(request: Request) -> Key:
        key: Key = request.state.key
        key.require(role, f"{request.method} {request.scope['route'].path}")
        return key

    setattr(found, ROLE, role)
    return found


def require_twin(config: Config, key: Key, twin: str) -> None:
    """Make sure that there is a twin, and that a key is not for others.

    Raises:
        ForbiddenError: The key is for other twins; it does not learn which there are.
        UnknownTwinError: There is none of this name.
    """
    key.require_twin(twin)
    config.twin(twin)


def install(app: FastAPI, keys: Keys, settings: Console, instruments: Instruments) -> None:
    """Let in who has a key and has not asked too much; give every answer a request id and every error one
    shape."""
    app.add_middleware(Limits, settings=settings, instruments=instruments)

    @app.middleware("http")
    async def enter(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.id = uuid.uuid4().hex
        try:
            if request.url.path not in OPEN:
                request.state.key = _identified(keys, request)
            await _sized(request, settings.max_body_bytes)
            made = await go_on(request)
        except Exception as error:  # the last place where an error can become an answer
            made = _answer(request, translated(error))
        made.headers[REQUEST_ID] = request.state.id
        return made

    async def handle(request: Request, error: Exception) -> Response:
        return _answer(request, translated(error))

    for kind in (TwinError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def _identified(keys: Keys, request: Request) -> Key:
    """Whose request it is.

    Raises:
        AuthenticationError: There is no key, or nobody has it.
    """
    keys.refresh()
    return keys.ring.identify(presented(dict(request.scope["headers"]))) if keys.ring else LOCAL


def translated(error: Exception) -> TwinError:
    """Any error as one of ours; of an unexpected one only the log learns more."""
    if isinstance(error, TwinError):
        return error
    if isinstance(error, RequestValidationError):
        return _malformed(error)
    if isinstance(error, HTTPException) and error.status_code == NOT_FOUND:
        return NotFoundError("no such path", param="path", remedy="see /openapi.json")
    if isinstance(error, HTTPException) and error.status_code == NOT_ALLOWED:
        return MethodError("this path does not take this method", param="method", remedy="see /openapi.json")
    if isinstance(error, HTTPException) and error.status_code < INTERNAL:
        return RequestError("the request cannot be read", remedy="see /openapi.json")
    stack = "".join(traceback.format_tb(error.__traceback__))
    log.error("a request failed: %s\n%s", type(error).__name__, stack)
    return TwinError("the operations API failed on this request", remedy="report the request id")


def _malformed(error: RequestValidationError) -> RequestError:
    """What is wrong by field; values are left out, for they may be long or private."""
    found = [(".".join(str(part) for part in one["loc"]), one["msg"]) for one in error.errors()][:5]
    text = "; ".join(f"{place}: {message}" for place, message in found)
    return RequestError(text, param=found[0][0] if found else "", remedy="see /openapi.json")


def _answer(request: Request, error: TwinError) -> Response:
    body: dict[str, Any] = error.answer(request.state.id)
    return Response(orjson.dumps(body), error.http_status, error.headers(), media_type="application/json")


async def _sized(request: Request, limit: int) -> None:
    """Read the body, up to the limit.

    Raises:
        TooLargeError: It is larger.
    """
    declared = request.headers.get("content-length", "0")
    size, parts = 0, []
    if not declared.isdigit() or int(declared) <= limit:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                break
            parts.append(part)
    if size > limit or (declared.isdigit() and int(declared) > limit):
        raise TooLargeError(
            f"the body has more than {limit} bytes",
            param="body",
            remedy="send less at a time, or raise console.max_body_bytes",
        )
    request._body = b"".join(parts)  # Starlette's own cache of a body that has been read
