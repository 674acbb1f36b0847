"""Routes that say in a page of the API what they do."""

import inspect
from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute


class Described(APIRoute):
    """A route that is listed by the first sentence about it, where FastAPI would take its function's name."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        said = (inspect.getdoc(endpoint) or "").partition("\n")[0].rstrip(".")
        super().__init__(path, endpoint, **{**rest, "summary": rest.get("summary") or said or None})
