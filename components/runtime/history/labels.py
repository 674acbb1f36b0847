"""Labels that come late: read from a file, stored by id, joined to the answers they are about."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from components.adapters.warehouse.contract import Warehouse
from components.dataflows import outcomes
from components.shared.config import ClassicTwin, Config
from components.shared.config.classic import Table
from components.shared.errors import DataError
from components.shared.interactions import INTERACTIONS, LABELLING, LABELS, Label, document

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of one transaction.
BATCH = 500

COLUMNS = ("request_id", "value", "event_time")

#: Characters of a wrong value that an error repeats.
SHOWN = 60


def add(warehouse: Warehouse, labels: Iterable[Label]) -> dict[str, int]:
    """Store labels; adding the same again changes nothing, and of two the later event holds.

    A label whose interaction is not known is stored as well: the interaction may still be on its way.

    Returns:
        `added`, `changed`, `unchanged` (the same or older than what is known), `without_interaction`.
    """
    counts = {"added": 0, "changed": 0, "unchanged": 0, "without_interaction": 0}
    rows = iter(labels)
    while batch := list(islice(rows, BATCH)):
        for twin in {one.twin for one in batch}:
            _add(warehouse, twin, [one for one in batch if one.twin == twin], counts)
    return counts


def _add(warehouse: Warehouse, twin: str, batch: list[Label], counts: dict[str, int]) -> None:
    """Store labels of one twin in one transaction, and take what they are about out of the queue."""
    requests = {one.request_id for one in batch}
    stored = warehouse.scan(LABELS, twin=twin, source=requests)
    known = {one["_id"]: Label.model_validate(one["body"]) for one in stored}
    answered = {one["source"] for one in warehouse.scan(INTERACTIONS, twin=twin, source=requests)}
    fresh: dict[str, Label] = {}
    for one in batch:
        counts["without_interaction"] += one.request_id not in answered
        before = fresh.get(one.id) or known.get(one.id)
        if before and (one == before or _time(one) <= _time(before)):
            counts["unchanged"] += 1
            continue
        counts["changed" if before else "added"] += 1
        fresh[one.id] = one
    labelled = {one.request_id for one in fresh.values()}
    waiting = [
        {**item, "body": {**item["body"], "state": "labelled"}}
        for item in warehouse.scan(LABELLING, twin=twin, source=labelled)
    ]
    warehouse.apply({LABELS: ([document(one) for one in fresh.values()], ()), LABELLING: (waiting, ())})


def _time(one: Label) -> datetime:
    found = datetime.fromisoformat(one.event_time)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def table_of(config: Config, twin: str) -> Table | None:
    """The classes that labels of a twin may name; None where it is of kind llm, which has none.

    Raises:
        UnknownTwinError: There is no such twin.
    """
    found = config.twin(twin)
    return found.table if isinstance(found, ClassicTwin) else None


def read(path: Path, twin: str, table: Table | None = None) -> Iterator[Label]:
    """Labels of a Parquet or CSV file: columns request_id, value, event_time, and instance if there is one.

    Args:
        path: The file.
        twin: Name of the twin.
        table: From `table_of`.

    Raises:
        DataError: The file cannot be read, lacks a column, or holds a wrong row, which is named.
    """
    place = 1
    for row in _rows(path):
        place += 1
        yield parsed(row, twin, f"{path.name}, row {place}", table)


def parsed(row: Mapping[str, Any], twin: str, where: str, table: Table | None = None) -> Label:
    """One row as a label.

    Args:
        row: Its fields.
        twin: Name of the twin.
        where: The row's place, for errors.
        table: From `table_of`.

    Raises:
        DataError: A field is wrong, or the value is no class of the table.
    """
    try:
        time = row["event_time"]
        at = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return Label(
            request_id=str(row["request_id"]),
            twin=twin,
            instance=row.get("instance") or 0,
            value=_value(row["value"], table),
            event_time=at.isoformat(),
        )
    except (KeyError, ValueError) as error:
        wrong = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise DataError(
            f"{where}: a label is wrong: {wrong}",
            remedy="give request_id, value, event_time (ISO 8601), and instance where a request had several",
        ) from error


def _value(value: Any, table: Table | None) -> str | float:
    if value is None or value == "":
        raise ValueError("value is empty")
    found = _number(value)
    if table is not None:
        if isinstance(value, str) and table.columns[table.label].type == "text":
            found = value  # a class may be called 01
        try:
            outcomes.positive(table, found)
        except outcomes.UnknownClassError as allowed:
            raise ValueError(f"value is '{str(value)[:SHOWN]}'; allowed: {allowed}") from None
    return found


def _number(value: Any) -> str | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not math.isfinite(number):
        raise ValueError("value is no finite number")
    return number


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa

    try:
        for batch in _batches(path):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read labels: {error}", where=str(path), remedy="give Parquet or CSV"
        ) from error


def _batches(path: Path) -> "Iterator[pa.RecordBatch]":
    """The file piece by piece.

    Raises:
        DataError: It lacks a column.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        names, batches = file.schema_arrow.names, file.iter_batches(BATCH)
    else:
        # An id of digits only is a text all the same.
        types = {**dict.fromkeys(COLUMNS, pa.string()), "instance": pa.int64()}
        batches = pacsv.open_csv(path, convert_options=pacsv.ConvertOptions(column_types=types))
        names = batches.schema.names
    if missing := [name for name in COLUMNS if name not in names]:
        raise DataError(f"column {', '.join(missing)} is missing", where=str(path))
    yield from batches
