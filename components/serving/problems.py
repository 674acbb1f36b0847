"""Errors as answers: one JSON shape, a status, and nothing of the inside."""

import logging
import re
import traceback
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from kserve import errors as kserve_errors
from starlette.exceptions import HTTPException

from components.serving.exchange import current
from components.shared.errors import MissingError, NotFoundError, RequestError, TwinError

log = logging.getLogger("twinstack.serving")

#: Parts of pydantic's places that are no field: where it comes from, and which type of several was tried.
BESIDE = re.compile(r"body|InferenceRequest|str|constrained-str|list\[.*\]")

REFUSED, NOT_FOUND, NOT_ALLOWED, INTERNAL, NOT_IMPLEMENTED = 400, 404, 405, 500, 501


class MethodError(RequestError):
    """The path exists, the method does not."""

    http_status = NOT_ALLOWED
    kind = "method_not_allowed_error"


class UnsupportedError(RequestError):
    """The protocol has it, this service does not."""

    http_status = NOT_IMPLEMENTED
    kind = "not_supported_error"


def body(error: TwinError) -> dict[str, Any]:
    """The error of an answer, with the id of the running request."""
    return error.answer(current().request_id)


def answer(error: TwinError) -> Response:
    """The error as an HTTP answer."""
    raw = orjson.dumps(body(error))
    return Response(raw, error.http_status, error.headers(), media_type="application/json")


def unexpected(error: BaseException) -> TwinError:
    """An error of ours, without its message, which may quote a request; the log gets its stack."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    log.error("request %s failed: %s\n%s", current().request_id, type(error).__name__, stack)
    return TwinError("the service failed on this request", remedy="report the request id")


def translate(error: Exception) -> TwinError:
    """Any error of FastAPI, Starlette or KServe as one of ours."""
    if isinstance(error, TwinError):
        return error
    for kinds, ours in TRANSLATIONS:
        if isinstance(error, kinds):
            return ours(error)
    return unexpected(error)


def _http(error: HTTPException) -> TwinError:
    if error.status_code == NOT_FOUND:
        return NotFoundError("no such path", param="path", remedy="see /openapi.json")
    if error.status_code == NOT_ALLOWED:
        return MethodError("this path does not take this method", param="method", remedy="see /openapi.json")
    if error.status_code < INTERNAL:
        return RequestError("the request cannot be read", remedy="send UTF-8 JSON")
    return unexpected(error)


def malformed(found: list[Any]) -> RequestError:
    """What pydantic found wrong, by field; values are left out, for they may be long or private."""
    if any(one["type"] == "json_invalid" for one in found):
        return RequestError("the body is not JSON", param="body", remedy="send UTF-8 JSON")
    # KServe takes bytes as well as an object; that it is no bytes is no news.
    named = [one for one in found if one["loc"][-1:] != ("bytes",)] or found
    parts = []
    for one in named[:5]:
        place = ".".join(str(part) for part in one["loc"] if not BESIDE.fullmatch(str(part)))
        parts.append((place or "body", one["msg"]))
    text = "; ".join(f"{place}: {message}" for place, message in dict.fromkeys(parts))
    return RequestError(text, param=parts[0][0], remedy="see /openapi.json")


#: Errors of others, and what they are in our words.
TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], TwinError]], ...] = (
    ((RequestValidationError,), lambda error: malformed(list(error.errors()))),
    ((HTTPException,), _http),
    (
        (kserve_errors.ModelNotFound,),
        lambda error: NotFoundError(str(error), param="model", remedy="GET /v1/models lists what there is"),
    ),
    (
        (kserve_errors.ModelNotReady, kserve_errors.ServerNotReady, kserve_errors.ServerNotLive),
        lambda error: MissingError(str(error), remedy="try again in a moment"),
    ),
    (
        (kserve_errors.InvalidInput,),
        lambda _: RequestError(
            "the body is not what the protocol says", param="body", remedy="see /openapi.json"
        ),
    ),
    (
        (NotImplementedError, kserve_errors.UnsupportedProtocol),
        lambda _: UnsupportedError("this service does not do that", remedy="see /openapi.json"),
    ),
)


async def _handle(_: Request, error: Exception) -> Response:
    found = translate(error)
    current().count(found)
    return answer(found)


def register(app: FastAPI) -> None:
    """Let every known error of the app be answered in our shape; the guard answers for the unknown."""
    kinds: list[type[Exception]] = [TwinError]
    for found, _ in TRANSLATIONS:
        kinds += found
    for kind in kinds:
        app.add_exception_handler(kind, _handle)
