"""Tables in files, read a column at a time: Parquet, or CSV by way of a memory-mapped Arrow file."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.shared.errors import DataError

#: A column without any value in a CSV file, or of type null in a Parquet file, is of no kind: `empty`.
Kind = Literal["number", "text", "empty", "other"]

#: Bytes of one block of a CSV file; types are told from the first.
BLOCK = 16 << 20


@dataclass(frozen=True)
class Table:
    """A table whose columns are read when they are asked for.

    Attributes:
        path: The file it came from.
        rows: How many.
        kinds: Column to its kind, in the file's order.
    """

    path: Path
    rows: int
    kinds: dict[str, Kind]
    _read: Callable[[str], Any]

    def column(self, name: str) -> Any:
        """A column as a pyarrow array; safe to call from several threads.

        Raises:
            DataError: The file is damaged.
        """
        with _readable(self.path):
            return self._read(name)

    def numbers(self, name: str) -> Any:
        """A column as float64, shape (rows,), NaN where there is no value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.cast(self.column(name), pa.float64(), safe=False)
        if found.null_count:
            found = pc.fill_null(found, float("nan"))
        return found.to_numpy()

    def often(self, name: str) -> tuple[dict[str, int], int]:
        """How often each text comes, and how many rows have none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        made: dict[str | None, int] = {None: 0}
        # A chunk at a time: every chunk has a dictionary of its own, and may name a text twice in it.
        for chunk in self.column(name).chunks:
            counted = pc.value_counts(chunk)
            values = counted.field("values")
            texts = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
            for text, rows in zip(texts.to_pylist(), counted.field("counts").to_pylist(), strict=True):
                made[text] = made.get(text, 0) + rows
        missing = made.pop(None)
        return {text: rows for text, rows in made.items() if text is not None}, missing


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Table]:
    """A Parquet or CSV file with at least one row.

    Raises:
        DataError: The file cannot be read, or is empty.
    """
    with contextlib.ExitStack() as stack:
        with _readable(path):
            if path.suffix.lower() == ".csv":
                source = stack.enter_context(_csv(path))
                schema, rows, read = source.schema, source.num_rows, source.column
            else:
                schema, rows, read = _parquet(path)
        if not rows:
            raise DataError("the table has no row", where=str(path), remedy="name a file with rows")
        if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
            raise DataError(
                f"columns {', '.join(twice[:10])} come twice", where=str(path), remedy="name each column once"
            )
        kinds: dict[str, Kind] = {one.name: _kind(one.type) for one in schema}
        if path.suffix.lower() == ".csv":
            kinds |= {name: "empty" for name in kinds if read(name).null_count == rows}
        yield Table(path, rows, kinds, read)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"cannot be read as Parquet or CSV: {str(error).splitlines()[0][:300]}",
            where=str(path),
            remedy="name a Parquet file, or a CSV file in UTF-8 with a header and one type a column",
        ) from error


def _parquet(path: Path) -> tuple[Any, int, Callable[[str], Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        metadata, schema = file.metadata, file.schema_arrow

    # Most texts of a column come often: their places in the file's dictionary are counted, not the texts.
    texts = [one.name for one in schema if _kind(one.type) == "text"]

    def read(name: str) -> Any:
        # A reader of its own: one is not safe to share between threads.
        with pq.ParquetFile(path, metadata=metadata, memory_map=True, read_dictionary=texts) as own:
            return own.read(columns=[name], use_threads=False).column(0)

    return schema, metadata.num_rows, read


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Any]:
    """The file as a memory-mapped Arrow table: memory does not grow with the file."""
    import pyarrow as pa
    from pyarrow import csv

    reading = csv.ReadOptions(block_size=BLOCK)
    with csv.open_csv(path, read_options=reading) as first:
        # A column whose first block holds whole numbers may hold others later.
        types = {one.name: pa.float64() for one in first.schema if pa.types.is_integer(one.type)}
        types |= {one.name: pa.string() for one in first.schema if pa.types.is_null(one.type)}
    converting = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table.arrow"
        with (
            csv.open_csv(path, read_options=reading, convert_options=converting) as blocks,
            pa.ipc.new_file(target, blocks.schema) as into,
        ):
            for block in blocks:
                into.write(block)
        with pa.memory_map(str(target)) as mapped:
            yield pa.ipc.open_file(mapped).read_all()


def _kind(type_: Any) -> Kind:
    import pyarrow as pa

    kinds = pa.types
    if (
        kinds.is_boolean(type_)
        or kinds.is_integer(type_)
        or kinds.is_floating(type_)
        or kinds.is_decimal(type_)
    ):
        return "number"
    if kinds.is_null(type_):  # as pandas writes a column of None
        return "empty"
    value = type_.value_type if kinds.is_dictionary(type_) else type_
    texts = (kinds.is_string, kinds.is_large_string, kinds.is_string_view)
    return "text" if any(is_(value) for is_ in texts) else "other"
