"""Labels that come late: read from a file, stored by id, joined to the answers they are about."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components.adapters.warehouse import Warehouse
from components.shared.errors import DataError
from components.shared.interactions import INTERACTIONS, LABELLING, LABELS, Label, document

#: Rows of one transaction.
BATCH = 500

COLUMNS = ("request_id", "value", "event_time")


def add(warehouse: Warehouse, labels: Iterable[Label]) -> dict[str, int]:
    """Store labels; adding the same again changes nothing, and of two the later event holds.

    A label whose interaction is not known is stored as well: the interaction may still be on its way.

    Returns:
        `added`, `changed`, `unchanged` (the same or older than what is known), `without_interaction`.
    """
    counts = {"added": 0, "changed": 0, "unchanged": 0, "without_interaction": 0}
    rows = iter(labels)
    while batch := list(islice(rows, BATCH)):
        fresh: dict[str, Label] = {}
        for one in batch:
            counts[_taken(warehouse, fresh, one)] += 1
            if not warehouse.count(INTERACTIONS, twin=one.twin, source=one.request_id):
                counts["without_interaction"] += 1
        waiting = [
            {**item, "body": {**item["body"], "state": "labelled"}}
            for request in {(one.twin, one.request_id) for one in fresh.values()}
            for item in warehouse.scan(LABELLING, twin=request[0], source=request[1])
        ]
        warehouse.apply({LABELS: ([document(one) for one in fresh.values()], ()), LABELLING: (waiting, ())})
    return counts


def _taken(warehouse: Warehouse, fresh: dict[str, Label], one: Label) -> str:
    """Put a label among those to be written, unless what is known is as new."""
    known = fresh.get(one.id)
    if known is None and (found := warehouse.get(LABELS, one.id)):
        known = Label.model_validate(found["body"])
    if known and (one == known or _time(one) <= _time(known)):
        return "unchanged"
    fresh[one.id] = one
    return "changed" if known else "added"


def _time(one: Label) -> datetime:
    found = datetime.fromisoformat(one.event_time)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read(path: Path, twin: str) -> Iterator[Label]:
    """Labels of a Parquet or CSV file: columns request_id, value, event_time, and instance if there is one.

    Raises:
        DataError: The file cannot be read, lacks a column, or holds a wrong row, which is named.
    """
    place = 1
    for row in _rows(path):
        place += 1
        yield parsed(row, twin, f"{path.name}, row {place}")


def parsed(row: Mapping[str, Any], twin: str, where: str) -> Label:
    """One row as a label.

    Raises:
        DataError: A field is wrong.
    """
    try:
        time = row["event_time"]
        at = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return Label(
            request_id=str(row["request_id"]),
            twin=twin,
            instance=row.get("instance") or 0,
            value=_value(row["value"]),
            event_time=at.isoformat(),
        )
    except (KeyError, ValueError) as error:
        wrong = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise DataError(
            f"a label is wrong: {wrong}",
            where=where,
            remedy="give request_id, value, event_time (ISO 8601), and instance where a request had several",
        ) from error


def _value(value: Any) -> str | float:
    if value is None or value == "":
        raise ValueError("value is empty")
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            # An id of digits only is a text all the same.
            texts = pacsv.ConvertOptions(column_types={name: pa.string() for name in COLUMNS})
            table = pacsv.read_csv(path, convert_options=texts)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read labels: {error}", where=str(path), remedy="give Parquet or CSV"
        ) from error
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise DataError(f"column {', '.join(missing)} is missing", where=str(path))
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()
