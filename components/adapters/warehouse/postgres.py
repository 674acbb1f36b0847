"""The warehouse on PostgreSQL: one table of JSONB, the same transactions for every pod."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from components.adapters.warehouse.contract import (
    ALL,
    PAGE,
    Document,
    Expected,
    Span,
    Values,
    WarehouseError,
    paged,
    require,
)
from components.shared.errors import DataError

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

TABLE = "twinstack_documents"

#: Connections of one process.
CONNECTIONS = 8
#: Seconds to wait for a connection.
PATIENCE = 30.0

#: What has to be there, by name. Ids are compared by their bytes, as on every other store, whatever the
#: database's language.
SCHEMA = {
    TABLE: f"""CREATE TABLE {TABLE} (
        collection text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        body jsonb NOT NULL,
        twin text GENERATED ALWAYS AS (body ->> 'twin') STORED,
        source text GENERATED ALWAYS AS (body ->> 'source') STORED,
        PRIMARY KEY (collection, id)
    )""",
    f"{TABLE}_by_twin": f"CREATE INDEX {TABLE}_by_twin ON {TABLE} (collection, twin, source, id)",
    f"{TABLE}_by_id": f"CREATE INDEX {TABLE}_by_id ON {TABLE} (collection, twin, id)",
}


class PostgresWarehouse:
    """Documents of every twin in one table, through a pool of connections.

    Args:
        uri: `postgresql://USER@HOST:PORT/DATABASE`; libpq reads a password from `PGPASSWORD` or `PGPASSFILE`.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _pool(self) -> "ConnectionPool[Connection[Any]]":
        from psycopg import Error
        from psycopg_pool import ConnectionPool, PoolTimeout

        pool: ConnectionPool[Connection[Any]] = ConnectionPool(
            self._uri,
            min_size=1,
            max_size=CONNECTIONS,
            open=False,
            timeout=PATIENCE,
            # A server that was restarted leaves dead connections behind.
            check=ConnectionPool.check_connection,
        )
        try:
            pool.open(wait=True, timeout=PATIENCE)
            with pool.connection() as connection:
                _migrate(connection)
        except (Error, PoolTimeout) as error:
            pool.close()
            raise WarehouseError(
                f"PostgreSQL does not answer: {error}",
                where="stores.warehouse",
                remedy="check address, database, user and PGPASSWORD; the first time the user has to be "
                "allowed to create a table",
            ) from error
        return pool

    def apply(
        self,
        changes: Mapping[str, tuple[Iterable[Document], Iterable[str]]],
        expected: Expected | None = None,
    ) -> None:
        """Upsert and delete, collection by collection, all in one transaction.

        Raises:
            ConflictError: The expected document is another one by now.
            DataError: A document holds what JSONB cannot.
        """
        from psycopg.errors import DataError as Unstorable

        with self._pool.connection() as connection, connection.cursor() as cursor:
            if expected:
                _require(connection, expected)
            try:
                for collection, (upserts, deletes) in changes.items():
                    cursor.executemany(
                        f"INSERT INTO {TABLE} (collection, id, body) VALUES (%s, %s, %s::jsonb) "  # noqa: S608
                        "ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
                        ((collection, one["_id"], _json(one)) for one in upserts),
                    )
                    cursor.executemany(
                        f"DELETE FROM {TABLE} WHERE collection = %s AND id = %s",  # noqa: S608
                        ((collection, key) for key in deletes),
                    )
            except Unstorable as error:
                raise DataError(
                    # The rest of the message quotes the document, and errors go into logs.
                    f"a document cannot be stored: {error.diag.message_primary or type(error).__name__}",
                    where="stores.warehouse",
                    remedy="remove characters such as NUL from the source",
                ) from error

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""
        query = f"SELECT body::text FROM {TABLE} WHERE collection = %s AND id = %s"  # noqa: S608
        with self._pool.connection() as connection:
            row = connection.execute(query, (collection, key)).fetchone()
        return json.loads(row[0]) if row else None

    def scan(self, collection: str, span: Span = ALL, **equal: Values) -> Iterator[Document]:
        """Documents whose fields equal the given values, by id; `PAGE` in memory at a time."""

        def read(part: Span) -> Sequence[Document]:
            where, values = _where(collection, part, equal)
            order = "DESC" if part.backwards else "ASC"
            query = f"SELECT body::text FROM {TABLE} WHERE {where} ORDER BY id {order} LIMIT {PAGE}"  # noqa: S608
            # No connection is held while the caller looks at a page.
            with self._pool.connection() as connection:
                rows = connection.execute(query, values).fetchall()
            return [json.loads(body) for (body,) in rows]

        return paged(read, span)

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""
        where, values = _where(collection, ALL, equal)
        query = f"SELECT COUNT(*) FROM {TABLE} WHERE {where}"  # noqa: S608
        with self._pool.connection() as connection:
            row = connection.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Give the connections back."""
        if "_pool" in self.__dict__:
            self._pool.close()


def _json(one: Document) -> str:
    try:
        return json.dumps(one, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise DataError(
            f"document '{one['_id']}' is no JSON: {error}",
            where="stores.warehouse",
            remedy="write a missing number as null",
        ) from error


def _migrate(connection: "Connection[Any]") -> None:
    """Make what is not there yet, once; pods that start together wait for the first."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (TABLE,))
        for name, statement in SCHEMA.items():
            found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
            if not found or found[0] is None:
                connection.execute(statement)


def _require(connection: "Connection[Any]", expected: Expected) -> None:
    """Hold off every other change of the document until the transaction ends, and compare it."""
    name = f"{TABLE}/{expected.collection}/{expected.key}"
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
    query = f"SELECT (body -> 'revision')::text FROM {TABLE} WHERE collection = %s AND id = %s"  # noqa: S608
    row = connection.execute(query, (expected.collection, expected.key)).fetchone()
    require(expected, {"revision": json.loads(row[0] or "null")} if row else None)


def _where(collection: str, span: Span, equal: Mapping[str, Values]) -> tuple[str, tuple[object, ...]]:
    """A condition; field names come from code, values are bound."""
    parts = ["collection = %s", "id > %s"]
    values: list[object] = [collection, span.after]
    if span.before:
        parts.append("id < %s")
        values.append(span.before)
    for field, value in equal.items():
        # The indexed columns by name; any other field inside the document, where only a text equals a text.
        text = f"CASE jsonb_typeof(body -> '{field}') WHEN 'string' THEN body ->> '{field}' END"
        name = field if field in ("twin", "source") else text
        one = isinstance(value, str)
        parts.append(f"{name} = %s" if one else f"{name} = ANY(%s)")
        values.append(value if one else [*value])
    return " AND ".join(parts), tuple(values)
