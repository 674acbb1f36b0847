"""Rows: declared types and ranges, checked by pandera over the whole table; frozen as Parquet."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.classic import Column, Table
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.validate.unchanged import require_unchanged

if TYPE_CHECKING:
    import pandas as pd

#: What an event time is; beyond these years pandas has no nanoseconds.
MOMENT = "ISO 8601 of the years 1678 to 2261"

FILE = "table.parquet"

#: Bad cells named in an error.
NAMED = 10


def validate(context: Context, collected: Manifest) -> Manifest:
    """Freeze the twin's rows: the key, `event_timestamp`, and every declared column in its type.

    Raises:
        DataError: More rows are bad than `max_rejected` allows; each of the first is named by line, column,
            value and rule.
    """
    table = context.classic.table
    return context.commit(
        settings={"table": table.model_dump(mode="json", exclude={"path"})},
        parents={"collected": collected},
        build=lambda folder: _freeze(context, collected, folder),
    )


def _freeze(context: Context, collected: Manifest, folder: Path) -> Draft:
    import pandas as pd

    table = context.classic.table
    rows = list(context.stores.warehouse.scan("rows", twin=context.twin))
    require_unchanged(collected, [[one["_id"], one["digest"]] for one in rows])
    raw = pd.DataFrame([one["values"] for one in rows], columns=list(table.columns), dtype=object)
    raw.insert(0, table.key, [one["key"] for one in rows])
    raw.insert(1, "event_timestamp", [one["event_time"] for one in rows])
    lines = [one["line"] for one in rows]
    typed, problems = _typed(table, raw)
    problems += _broken_rules(table, typed, problems)
    bad = {row for row, _ in problems}
    if len(bad) > table.max_rejected * len(rows):
        first = sorted((lines[row], text) for row, text in problems)[:NAMED]
        named = "; ".join(f"line {line}, {text}" for line, text in first)
        raise DataError(
            f"{len(bad)} of {len(rows)} rows are bad, nothing was built on them: {named}",
            where=f"{table.path}, twins.{context.twin}.table.columns",
            remedy="mend the rows, correct the declared columns, or raise max_rejected",
        )
    good = _cast(table, typed.drop(index=list(bad)))
    good.to_parquet(folder / FILE, index=False, coerce_timestamps="us", allow_truncated_timestamps=True)
    share = float((good[table.label] == table.positive).mean())
    return Draft(
        summary=f"{len(good)} rows, {share:.1%} {table.label} = {table.positive}, {len(bad)} rejected",
        facts={"rows": len(good), "rejected": len(bad), "positive_share": share},
        version=digest.of_file(folder / FILE),
    )


def _typed(table: Table, raw: "pd.DataFrame") -> tuple["pd.DataFrame", list[tuple[int, str]]]:
    """Columns in their types; a cell that does not fit becomes missing and is named."""
    import pandas as pd

    typed, problems = raw.copy(), []
    empty = {name: raw[name].astype(str).str.strip() == "" for name in table.columns}
    for name, column in table.columns.items():
        if column.type == "text":
            if column.optional:
                typed[name] = raw[name].where(~empty[name], None)
                continue
            problems += [(int(row), f"{name} is empty") for row in raw.index[empty[name]]]
            continue
        numbers = pd.to_numeric(raw[name], errors="coerce")
        numbers = numbers.where(numbers.abs() != float("inf"))
        if column.type == "integer":
            numbers = numbers.where(numbers % 1 == 0)
        for row in raw.index[numbers.isna() & ~(empty[name] & column.optional)]:
            problems.append((int(row), f"{name} is {raw.at[row, name]!r}, not {_article(column)}"))
        typed[name] = numbers
    moments = pd.to_datetime(raw["event_timestamp"], utc=True, errors="coerce", format="ISO8601")
    for row in raw.index[moments.isna()]:
        problems.append((int(row), f"event time is {raw.at[row, 'event_timestamp']!r}, not {MOMENT}"))
    typed["event_timestamp"] = moments
    return typed, problems


def _article(column: Column) -> str:
    return "an integer" if column.type == "integer" else "a number"


def _broken_rules(table: Table, typed: "pd.DataFrame", known: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Ranges and allowed values, checked lazily so that every bad cell is found in one pass."""
    import pandera.pandas as pa

    untyped = {row for row, _ in known}
    schema = pa.DataFrameSchema(
        {name: pa.Column(checks=_checks(pa, column), nullable=True) for name, column in table.columns.items()}
    )
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        return [
            (int(case["index"]), f"{case['column']} is {case['failure_case']!r}, breaks {case['check']}")
            for case in cases.to_dict("records")
            if case["index"] is not None and int(case["index"]) not in untyped
        ]
    return []


def _checks(pa: Any, column: Column) -> list[Any]:
    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    if column.allowed:
        checks.append(pa.Check.isin(column.allowed))
    return checks


def _cast(table: Table, good: "pd.DataFrame") -> "pd.DataFrame":
    """Columns as a dataflow takes them; whole numbers that may be missing are float64, which has NaN."""
    kinds = {"integer": "int64", "number": "float64", "text": "object"}
    found = good.astype(
        {
            name: "float64" if column.optional and column.type == "integer" else kinds[column.type]
            for name, column in table.columns.items()
        }
    )
    texts = [name for name, column in table.columns.items() if column.type == "text" and column.optional]
    found[texts] = found[texts].fillna("")
    return found.reset_index(drop=True)
