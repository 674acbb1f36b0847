"""Wrong values of a configuration, in words that a person can act on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from components.shared.config.root import Config
from components.shared.errors import ConfigError

#: Wrong values named in an error, and characters of each.
NAMED, SHOWN = 10, 100

Place = Sequence[str | int]


def explained(error: ValidationError, where: str) -> ConfigError:
    """Every wrong value with its field, the value and what is allowed."""
    found = error.errors(include_url=False)
    lines = [_line(one) for one in found[:NAMED]]
    if more := len(found) - NAMED:
        lines += [f"and {more} more"] if more > 0 else []
    return ConfigError("; ".join(lines), where=where, remedy="see docs/reference/configuration.md")


def _line(wrong: ErrorDetails) -> str:
    place = ".".join(str(part) for part in wrong["loc"] if part not in ("classic", "llm", "git", "folder"))
    if wrong["type"] == "extra_forbidden":
        return f"{place}: unknown field{_meant(wrong['loc'])}"
    if wrong["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{place}.{_tag(wrong['ctx'])}"
    value, said = wrong["input"], wrong["msg"].removeprefix("Value error, ")
    if isinstance(value, dict | list):
        return f"{place}: {said}" if place else said
    hint = ", put it in quotes" if _wants_quotes(wrong) else ""
    return f"{place} is {repr(value)[:SHOWN]}: {said}{hint}"


def _tag(said: Mapping[str, str]) -> str:
    """The field that says which of several forms a section has."""
    field = said["discriminator"].strip("'")
    return (
        f"{field} is '{said['tag']}', none of {said['expected_tags']}"
        if "tag" in said
        else f"{field}: Field required"
    )


def _wants_quotes(wrong: ErrorDetails) -> bool:
    """YAML takes `yes`, `12` and `2026-01-01` for something else than texts."""
    return wrong["type"] == "string_type" and isinstance(wrong["input"], bool | int | float | date)


def _meant(place: Place) -> str:
    close = get_close_matches(str(place[-1]), [*_fields(place[:-1])], n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _fields(place: Place) -> Iterator[str]:
    """Names of the fields that the configuration has at a place."""
    schema = Config.model_json_schema()
    found = [*_meanings(schema, schema)]
    for part in place:
        found = [one for above in found for below in _below(above, part) for one in _meanings(below, schema)]
    for one in found:
        yield from one.get("properties", ())


def _meanings(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema without references; of a choice of several, each, and those by their tags."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if "discriminator" in node:
        yield {"properties": {t: {"$ref": ref} for t, ref in node["discriminator"]["mapping"].items()}}
    elif choices:
        for one in choices:
            yield from _meanings(one, schema)
    else:
        yield node


def _below(node: Mapping[str, Any], part: str | int) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, int):
        items = node.get("items")
        if isinstance(items, Mapping):
            yield items
        return
    if part in node.get("properties", {}):
        yield node["properties"][part]
        return
    for others in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
        if isinstance(others, Mapping):
            yield others
