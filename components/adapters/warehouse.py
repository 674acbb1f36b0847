"""Document warehouse: JSON documents in collections, changed in transactions."""

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from components.shared.errors import TwinError

Document = dict[str, Any]

#: Value of a field, or several of which it may be any.
Values = str | Collection[str]

#: Documents of one query of a scan: what is in memory at a time.
PAGE = 500


@dataclass(frozen=True)
class Span:
    """Documents between two ids, both left out, and from which end they come.

    Attributes:
        after: Smaller ids, and this one, are left out.
        before: Larger ids, and this one, are left out; empty is no bound.
        backwards: Whether the largest id comes first.
    """

    after: str = ""
    before: str = ""
    backwards: bool = False


ALL = Span()


def paged(read: Callable[[Span], Sequence[Document]], span: Span) -> Iterator[Document]:
    """Every document of a span, a page at a time.

    Args:
        read: Gives the first `PAGE` documents of a span.
        span: Which.
    """
    while True:
        page = read(span)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]["_id"]
        span = replace(span, before=last) if span.backwards else replace(span, after=last)


@dataclass(frozen=True)
class Expected:
    """What a document has to be for a change to take place.

    Attributes:
        collection: Its collection.
        key: Its id.
        revision: Value of its field `revision`; None where the document must not exist.
    """

    collection: str
    key: str
    revision: int | None


class WarehouseError(TwinError):
    """The warehouse's server cannot be reached, or refuses."""

    exit_code = 10
    http_status = 503
    kind = "warehouse_error"


class ConflictError(TwinError):
    """Somebody else changed the same thing in the meantime; nothing was changed."""

    exit_code = 9
    http_status = 409
    kind = "conflict_error"


def require(expected: Expected, found: Mapping[str, Any] | None) -> None:
    """Compare a document with what it has to be.

    Raises:
        ConflictError: It is another one.
    """
    # A document of before there were revisions counts as revision 0.
    if (None if found is None else found.get("revision") or 0) != expected.revision:
        raise ConflictError(
            f"'{expected.key}' in {expected.collection} was changed by somebody else",
            where="warehouse",
            remedy="look at it again, then repeat the command",
        )


class Warehouse(Protocol):
    """Documents with an `_id`, in named collections."""

    def apply(
        self,
        changes: Mapping[str, tuple[Iterable[Document], Iterable[str]]],
        expected: Expected | None = None,
    ) -> None:
        """Upsert and delete, collection by collection, all in one transaction.

        Raises:
            ConflictError: The expected document is another one by now.
        """

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""

    def scan(self, collection: str, span: Span = ALL, **equal: Values) -> Iterator[Document]:
        """Documents whose fields equal the given values, in the order of their ids; `PAGE` in memory."""

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""


class SqliteWarehouse:
    """One SQLite file in WAL mode: readers never wait for a writer, a killed writer leaves no trace.

    Documents are JSON text; `twin` and `source`, by which everything is scanned, are generated columns with
    an index.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        # 30 s: a second writer waits for the first instead of failing.
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A transaction that was answered stays after a power cut: the spool deletes its copy then.
        self._db.execute("PRAGMA synchronous=FULL")
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
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
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
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _require(self, expected: Expected) -> None:
        row = self._db.execute(
            "SELECT json_extract(body, '$.revision') FROM documents WHERE collection = ? AND id = ?",
            (expected.collection, expected.key),
        ).fetchone()
        require(expected, {"revision": row[0]} if row else None)

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""
        with self._lock:
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
            with self._lock:
                rows = self._db.execute(query, values).fetchall()
            return [json.loads(body) for (body,) in rows]

        return paged(read, span)

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""
        source, values = self._source(collection, ALL, equal)
        with self._lock:
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
