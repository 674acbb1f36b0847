"""The warehouse in one SQLite file."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from components.adapters import sqlite
from components.adapters.warehouse.contract import ALL, PAGE, Document, Expected, Span, Values, paged, require


class SqliteWarehouse:
    """One SQLite file in WAL mode: readers never wait for a writer, a killed writer leaves no trace.

    Documents are JSON text; `twin` and `source`, by which everything is scanned, are generated columns with
    an index.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with sqlite.told(path):
            self._open(path)

    def _open(self, path: Path) -> None:
        # A transaction that was answered stays after a power cut: the spool deletes its copy then.
        self._db = sqlite.opened(path, synchronous="FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS documents ("
            "collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
            "twin TEXT GENERATED ALWAYS AS (json_extract(body, '$.twin')) VIRTUAL,"
            "source TEXT GENERATED ALWAYS AS (json_extract(body, '$.source')) VIRTUAL,"
            "PRIMARY KEY (collection, id)) WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE INDEX IF NOT EXISTS documents_by_twin ON documents (collection, twin, source, id)"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS documents_by_id ON documents (collection, twin, id)")

    def apply(
        self,
        changes: Mapping[str, tuple[Iterable[Document], Iterable[str]]],
        expected: Expected | None = None,
    ) -> None:
        """Upsert and delete, collection by collection, all in one transaction.

        Raises:
            ConflictError: The expected document is another one by now.
            StorageError: The file is locked or damaged, or its disk is full; nothing was changed.
        """
        with self._using(), sqlite.transaction(self._db):
            if expected:
                self._require(expected)
            for collection, (upserts, deletes) in changes.items():
                self._db.executemany(
                    "INSERT INTO documents (collection, id, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
                    ((collection, one["_id"], json.dumps(one, ensure_ascii=False)) for one in upserts),
                )
                self._db.executemany(
                    "DELETE FROM documents WHERE collection = ? AND id = ?",
                    ((collection, key) for key in deletes),
                )

    @contextmanager
    def _using(self) -> Iterator[None]:
        """One thread at a time; what SQLite says against it is told."""
        with self._lock, sqlite.told(self._path):
            yield

    def _require(self, expected: Expected) -> None:
        row = self._db.execute(
            "SELECT json_extract(body, '$.revision') FROM documents WHERE collection = ? AND id = ?",
            (expected.collection, expected.key),
        ).fetchone()
        require(expected, {"revision": row[0]} if row else None)

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""
        with self._using():
            row = self._db.execute(
                "SELECT body FROM documents WHERE collection = ? AND id = ?", (collection, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def scan(self, collection: str, span: Span = ALL, **equal: Values) -> Iterator[Document]:
        """Documents whose fields equal the given values, by id; `PAGE` in memory at a time."""

        def read(part: Span) -> Sequence[Document]:
            source, values = self._source(collection, part, equal)
            order = "DESC" if part.backwards else "ASC"
            query = f"SELECT body FROM {source} ORDER BY id {order} LIMIT {PAGE}"  # noqa: S608
            with self._using():
                rows = self._db.execute(query, values).fetchall()
            return [json.loads(body) for (body,) in rows]

        return paged(read, span)

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""
        source, values = self._source(collection, ALL, equal)
        with self._using():
            row = self._db.execute(f"SELECT COUNT(*) FROM {source}", values).fetchone()  # noqa: S608
        return int(row[0])

    @staticmethod
    def _source(collection: str, span: Span, equal: Mapping[str, Values]) -> tuple[str, tuple[str, ...]]:
        """Table, index and condition; field names come from code, values are bound.

        The index is named because SQLite, without statistics, would walk the collection by its ids instead.
        """
        parts, values = ["collection = ?", "id > ?"], [collection, span.after]
        if span.before:
            parts.append("id < ?")
            values.append(span.before)
        for field, value in equal.items():
            # The indexed columns by name; any other field through its JSON path.
            name = field if field in ("twin", "source") else f"json_extract(body, '$.{field}')"
            if isinstance(value, str):
                parts.append(f"{name} = ?")
                values.append(value)
            else:
                parts.append(f"{name} IN ({', '.join('?' * len(value))})")
                values += value
        index = ("documents_by_twin" if "source" in equal else "documents_by_id") if "twin" in equal else ""
        table = f"documents INDEXED BY {index}" if index else "documents"
        return f"{table} WHERE {' AND '.join(parts)}", tuple(values)
