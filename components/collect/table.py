"""Rows of a CSV file into the warehouse: only what changed is written, what is gone is deleted."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from components.adapters.warehouse.contract import Document
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.classic import EventTime, Table
from components.shared.errors import DataError
from components.shared.manifests import Manifest

COLLECTION = "rows"

#: Last year that a table can hold: pandas counts nanoseconds in 64 bits, up to April 2262.
LATEST = 2261


def collect(context: Context) -> Manifest:
    """Bring the warehouse to the state of the file, in one transaction.

    Values stay texts here; types and ranges are the next stage's.

    Raises:
        DataError: The file is missing, not UTF-8, lacks a column or has it twice, or has a row of another
            length or an id twice.
    """
    table = context.classic.table
    path = context.config.path(table.path)
    warehouse = context.stores.warehouse
    known = {one["_id"]: one["digest"] for one in warehouse.scan(COLLECTION, twin=context.twin)}
    state, upserts = [], []
    lines: dict[str, int] = {}
    for row in rows(context.twin, table, path):
        if (first := lines.setdefault(row["_id"], row["line"])) != row["line"]:
            raise DataError(
                f"{table.key} {row['key']!r} occurs twice",
                where=f"{path}, lines {first} and {row['line']}",
                remedy="give every row an id of its own; nothing was collected",
            )
        state.append([row["_id"], row["digest"]])
        if known.pop(row["_id"], None) != row["digest"]:
            upserts.append(row)
    if not state:
        raise DataError("the table has no rows", where=str(path), remedy="give it at least one row")
    if upserts or known:
        warehouse.apply({COLLECTION: (upserts, known)})
    context.crash_point("after-warehouse")
    version = digest.of_json(sorted(state))
    facts: dict[str, JsonValue] = {
        "rows": len(state),
        "added_or_changed": len(upserts),
        "deleted": len(known),
        "file": table.path,
    }
    return context.commit(
        settings={"state": version},
        parents={},
        build=lambda _: Draft(
            summary=f"{len(state)} rows ({len(upserts)} new or changed, {len(known)} deleted)",
            facts=facts,
            version=version,
        ),
    )


def rows(twin: str, table: Table, path: Path) -> Iterator[Document]:
    """Every row as a document, with an id and an event time.

    Raises:
        DataError: As `collect` says.
    """
    try:
        # A byte order mark, as spreadsheets write it, is no part of the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            _require_columns(table, header, path)
            for number, cells in enumerate(reader, start=1):
                if len(cells) != len(header):
                    raise DataError(
                        f"row {number} has {len(cells)} cells, the header has {len(header)}",
                        where=f"{path}, line {reader.line_num}",
                        remedy="mend the row; nothing was collected",
                    )
                values = dict(zip(header, cells, strict=True))
                if not values.get(table.key, "-").strip():
                    raise DataError(
                        f"{table.key} of row {number} is empty",
                        where=f"{path}, line {reader.line_num}",
                        remedy="give every row an id of its own; nothing was collected",
                    )
                yield _document(twin, table, values, number, reader.line_num)
    except OSError as error:
        raise DataError(
            f"cannot read the table: {error.strerror}",
            where=str(path),
            remedy=f"set twins.{twin}.table.path to a CSV file",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8: byte 0x{error.object[error.start]:02x}", where=str(path), remedy="save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise DataError(f"not CSV: {error}", where=f"{path}, line {reader.line_num}") from error


def _document(twin: str, table: Table, values: dict[str, str], number: int, line: int) -> Document:
    """A row, the first of which has number 1, that ends in a line of its file."""
    key = values.get(table.key) or f"{table.key_prefix}{number:04d}"
    body = {
        "values": {name: values[header] for name, header in table.headers.items()},
        "event_time": _event_time(table.event_time, values, number),
        "line": line,
    }
    return {
        "_id": f"{twin}/{key}",
        "twin": twin,
        "source": table.path,
        "key": key,
        "digest": digest.of_json(body),
        **body,
    }


def _event_time(wanted: EventTime, values: dict[str, str], number: int) -> str:
    """What the row says; where no column says it, rows lie a step apart."""
    if wanted.column:
        return values[wanted.column]
    try:
        passed = timedelta(seconds=wanted.step_seconds * (number - 1))
        moment = datetime.fromisoformat(wanted.start) + passed
    except OverflowError:
        moment = datetime.max
    if moment.year > LATEST:
        raise DataError(
            f"row {number} would have happened after the year {LATEST}: assigned event times lie "
            f"{wanted.step_seconds} s apart, from {wanted.start}",
            where="table.event_time.step_seconds",
            remedy="set `step_seconds` lower, or name the `column` that has the times; nothing was collected",
        )
    return moment.isoformat()


def _require_columns(table: Table, header: list[str], path: Path) -> None:
    wanted = [*table.headers.values(), *([table.event_time.column] if table.event_time.column else [])]
    if missing := [name for name in wanted if name not in header]:
        other = len(header) == 1 and next((mark for mark in ";\t|" if mark in header[0]), "")
        raise DataError(
            f"columns {missing} are missing; the file has {header[:30]}",
            where=f"{path}, line 1",
            remedy=f"separate the cells by commas, not by {other!r}"
            if other
            else "rename the columns of the file or of `table.columns`, or name them there as `header`",
        )
    if twice := [name for name in dict.fromkeys(wanted) if header.count(name) > 1]:
        raise DataError(
            f"columns {twice} are there more than once",
            where=f"{path}, line 1",
            remedy="give every column a name of its own",
        )
