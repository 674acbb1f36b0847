"""The served OpenAPI document: bodies that the routes read by themselves, and the one shape of errors."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field


class Detail(BaseModel):
    """What went wrong."""

    message: str
    """What happened, and what to do."""
    type: str
    """One of the types in the documentation of errors."""
    param: str | None = None
    """The field of the request that is wrong."""
    request_id: str
    """Of the request, as in the header `x-request-id`."""


class Problem(BaseModel):
    """Every answer that is no success."""

    error: Detail = Field()
    """What went wrong."""


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What an operation says of a JSON body that it parses itself."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    content = {"application/json": {"schema": _inlined(schema, parts)}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """A schema with its references written out; our requests do not refer to themselves."""
    if isinstance(node, list):
        return [_inlined(one, parts) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(parts[node["$ref"].rsplit("/", 1)[-1]], parts)
    return {key: _inlined(value, parts) for key, value in node.items() if key != "discriminator"}


def declare(app: FastAPI) -> None:
    """Let the document say that every operation may answer with an error of our shape."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        document = plain()
        if fresh:
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = _inlined_model(Problem)
            shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
            default = {"description": "An error", "content": {"application/json": shape}}
            for path in document["paths"].values():
                for operation in path.values():
                    operation.setdefault("responses", {})["default"] = default
                    # FastAPI's own shape of a body that does not fit is never answered here.
                    operation["responses"].pop("422", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _inlined_model(model: type[BaseModel]) -> Any:
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    return _inlined(schema, parts)
