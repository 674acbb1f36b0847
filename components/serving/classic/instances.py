"""What a caller of a classic twin sends: an entity's id or its raw columns, checked field by field."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.shared.config.classic import Column, Table
from components.shared.errors import RequestError, TooLargeError

#: Characters of a wrong value that an error repeats.
SHOWN = 60

#: Allowed texts that an error lists.
LISTED = 20

#: Longest id.
MAX_KEY = 200


@dataclass(frozen=True)
class Instance:
    """One checked instance: `key` where features come from the store, otherwise `values` by column."""

    key: str | None
    values: Mapping[str, Any]

    def said(self, key: str) -> dict[str, Any]:
        """What the caller sent, for the record; `key` is the name of the id column."""
        if self.key is not None:
            return {key: self.key}
        return {name: None if value != value else value for name, value in self.values.items()}  # noqa: PLR0124


@dataclass(frozen=True)
class Checker:
    """Checks instances against a twin's declared columns.

    Attributes:
        table: The declared columns.
        required: Columns that the dataflow cannot do without.
        limit: Most instances of a request.
    """

    table: Table
    required: tuple[str, ...]
    limit: int

    def body(self, payload: object) -> list[Instance]:
        """The instances of a V1 body.

        Raises:
            RequestError: It is no object with a list `instances`, or an instance is wrong.
            TooLargeError: There are too many.
        """
        if not isinstance(payload, Mapping):
            raise RequestError(
                f"the body is {_kind(payload)}, not an object",
                param="body",
                remedy='send {"instances": [{…}]}',
            )
        if "instances" not in payload:
            raise RequestError(
                "the body has no field 'instances'", param="instances", remedy='send {"instances": [{…}]}'
            )
        found = payload["instances"]
        if not isinstance(found, list) or not found:
            what = "is empty" if found == [] else f"is {_kind(found)}, not a list"
            raise RequestError(f"instances {what}", param="instances", remedy="give at least one instance")
        return self.all(found)

    def all(self, found: Sequence[object]) -> list[Instance]:
        """Checked instances.

        Raises:
            RequestError: One is wrong.
            TooLargeError: There are too many.
        """
        if len(found) > self.limit:
            raise TooLargeError(
                f"{len(found)} instances, more than {self.limit}",
                param="instances",
                remedy="send them in several requests, or raise serving.max_instances",
            )
        return [self.one(each, f"instances[{place}]") for place, each in enumerate(found)]

    def one(self, found: object, where: str) -> Instance:
        """A checked instance."""
        if not isinstance(found, Mapping):
            raise RequestError(
                f"{where} is {_kind(found)}, not an object",
                param=where,
                remedy=f'send {{"{self.table.key}": "…"}}, or the raw columns by name',
            )
        if self.table.key in found and self.table.key not in self.table.columns:
            return Instance(self._key(found, where), {})
        columns = self.table.columns
        usable = [name for name in columns if name != self.table.label]
        if unknown := [name for name in found if name not in usable]:
            raise RequestError(
                f"{where} has unknown field {_shown(unknown[0])}",
                param=f"{where}.{str(unknown[0])[:SHOWN]}",
                remedy=f"use {self.table.key}, or: {', '.join(usable)}",
            )
        absent = [name for name in self.required if name not in found]
        if missing := [name for name in absent if not columns[name].optional]:
            raise RequestError(
                f"{where} lacks {', '.join(missing)}",
                param=f"{where}.{missing[0]}",
                remedy=f"give every column, or only {self.table.key}",
            )
        given = {**dict.fromkeys(absent), **found}
        return Instance(
            None, {name: _value(each, columns[name], f"{where}.{name}") for name, each in given.items()}
        )

    def _key(self, found: Mapping[str, object], where: str) -> str:
        key, place = found[self.table.key], f"{where}.{self.table.key}"
        if len(found) > 1:
            raise RequestError(
                f"{where} has {self.table.key} and other fields",
                param=where,
                remedy="give the id alone, or the raw columns without it",
            )
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
            raise RequestError(
                f"{place} is {_shown(key)}; allowed: a text of 1 to {MAX_KEY} characters",
                param=place,
                remedy="send an id",
            )
        return key


def _value(found: object, column: Column, place: str) -> Any:
    """The value in its column's type: integer and number as float or int, text as str.

    What an optional column lacks is what the pipeline has for an empty cell: NaN, or an empty text.
    """
    if column.optional and _missing(found):
        return "" if column.type == "text" else math.nan
    if column.type == "text":
        if isinstance(found, str) and found.strip() and (not column.allowed or found in column.allowed):
            return found
        some = ", ".join(column.allowed[:LISTED]) + (", …" if len(column.allowed) > LISTED else "")
        raise _refused(place, found, f"one of {some}" if column.allowed else "a text that is not empty")
    number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    whole = column.type == "number" or (number and float(found) == int(found))  # type: ignore[arg-type, call-overload]
    low, high = column.minimum, column.maximum
    if not number or not whole:
        raise _refused(place, found, column.numbers)
    value = float(found) if column.type == "number" else int(found)  # type: ignore[arg-type, call-overload]
    if (low is not None and value < low) or (high is not None and value > high):
        raise _refused(place, found, column.numbers)
    # Beyond 64 bits the features' arithmetic would differ from that of the pipeline.
    if abs(value) >= 2**63:
        raise _refused(place, found, column.numbers)
    return value


def _missing(found: object) -> bool:
    return found is None or found == "" or (isinstance(found, float) and math.isnan(found))


def _refused(place: str, found: object, allowed: str) -> RequestError:
    return RequestError(
        f"{place} is {_shown(found)}; allowed: {allowed}", param=place, remedy="correct the value"
    )


def _shown(found: object) -> str:
    if isinstance(found, list | dict):
        return _kind(found)
    text = repr(found)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def _kind(found: object) -> str:
    names = {list: "a list", dict: "an object", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(found), "a number" if isinstance(found, int | float) else "no JSON value")
