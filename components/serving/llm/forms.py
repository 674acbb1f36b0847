"""Answers of a required form: JSON by a caller's schema, which is itself checked before it costs anything.

A schema comes from outside. It may not name other documents, because those would be fetched; it may hold no
regular expression, no recursion and no nesting of references that multiplies, because checking it could take
for ever.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from components.shared.errors import RequestError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

#: Keywords that are not served, and why.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("pattern", "patternProperties"), "a regular expression can take for ever"),
    **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), "its cost multiplies with its depth"),
    **dict.fromkeys(
        ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"),
        "references go to #/… inside the schema only",
    ),
}

#: Keywords below which any key is a name of the caller's, not a keyword.
NAMES = ("properties", "$defs", "definitions", "dependentSchemas", "dependentRequired")

#: Keywords whose value is data.
DATA = ("const", "enum", "default", "examples")

#: Nodes of a schema with every reference written out.
MAX_NODES = 2_000

PARAM = "response_format"

FENCE = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)

#: Characters of a finding.
SHOWN = 200


class FormError(RequestError):
    """The model did not answer in the form that was asked for."""

    http_status = 422
    kind = "response_format_error"


@dataclass(frozen=True)
class Misfit:
    """Why a text does not have a form.

    Attributes:
        detail: For the model; may quote its own answer.
        rule: For the caller; quotes nothing.
    """

    detail: str
    rule: str


@dataclass(frozen=True)
class Form:
    """One JSON value, by a schema where there is one.

    Attributes:
        schema: A checked JSON Schema (2020-12); None takes any JSON object.
    """

    schema: Mapping[str, Any] | None = None

    @property
    def instruction(self) -> str:
        """What the model is told."""
        if self.schema is None:
            return "Answer with one JSON object and nothing else."
        schema = json.dumps(self.schema, ensure_ascii=False)
        return f"Answer with one JSON value and nothing else. It has to satisfy this JSON Schema:\n{schema}"

    @cached_property
    def _validator(self) -> "Draft202012Validator":
        from jsonschema import Draft202012Validator
        from referencing import Registry

        schema = {"type": "object"} if self.schema is None else self.schema
        # An own, empty registry: the default one fetches what a schema refers to.
        return Draft202012Validator(schema, registry=Registry())

    def read(self, text: str) -> str | Misfit:
        """The answer as bare JSON text, or why it is none.

        Args:
            text: What the model said; a code fence around it is taken off.
        """
        found = FENCE.match(text.strip())
        bare = (found.group(1) if found else text).strip()
        try:
            value = json.loads(bare, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            return Misfit(f"not JSON: {error}", "it is not JSON")
        wrong = next(iter(self._validator.iter_errors(value)), None)
        if wrong is None:
            return bare
        return Misfit(
            f"{wrong.json_path}: {wrong.message}"[:SHOWN],
            f"{wrong.json_path[:SHOWN]} breaks '{wrong.validator}'",
        )


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def form_of(schema: Any) -> Form:
    """A form by a caller's schema.

    Raises:
        RequestError: It is no JSON Schema, or has something that is not served.
    """
    from jsonschema import Draft202012Validator, SchemaError

    try:
        nodes = _nodes(schema, schema, ())
    except RecursionError:
        raise _wrong("it is nested too deeply") from None
    if nodes > MAX_NODES:
        raise _wrong(f"it has more than {MAX_NODES} parts with its references written out")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise _wrong(f"{error.json_path}: {error.message}"[:SHOWN]) from None
    return Form(schema)


def _nodes(node: Any, whole: Any, behind: tuple[str, ...]) -> int:
    """Parts of a schema with its references written out; stops counting a little above the limit."""
    count = 1
    for keyword, below in _below(node):
        if keyword in REFUSED:
            raise _wrong(f"'{keyword}' is not served: {REFUSED[keyword]}")
        if keyword == "$ref":
            count += _nodes(_target(below, whole, behind), whole, (*behind, below))
        else:
            count += _nodes(below, whole, behind)
        if count > MAX_NODES:
            return count
    return count


def _below(node: Any) -> Iterator[tuple[str, Any]]:
    """Keyword and value of every part of a schema that may hold schemas."""
    if isinstance(node, list):
        yield from (("", one) for one in node)
    if not isinstance(node, dict):
        return
    for keyword, value in node.items():
        if keyword in NAMES and isinstance(value, dict):
            yield from (("", one) for one in value.values())
        elif keyword not in DATA:
            yield keyword, value


def _target(reference: Any, whole: Any, behind: tuple[str, ...]) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise _wrong("'$ref' is not served: references go to #/… inside the schema only")
    if reference in behind:
        raise _wrong(f"{reference[:SHOWN]} refers to itself, which is not served")
    found = whole
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise _wrong(f"{reference[:SHOWN]} names nothing")
        found = found[name]
    return found


def _wrong(why: str) -> RequestError:
    return RequestError(
        f"{PARAM}.json_schema.schema cannot be used: {why}",
        param=f"{PARAM}.json_schema.schema",
        remedy="send a JSON Schema (2020-12) without it",
    )
