"""The warehouse on MongoDB: a collection each, changed in multi-document transactions."""

import os
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
    from pymongo import MongoClient
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

    Client = MongoClient[Document]
    Session = ClientSession

#: User and password, where the URI names none; secrets do not stand in the configuration.
USER, PASSWORD = "MONGODB_USERNAME", "MONGODB_PASSWORD"  # pragma: allowlist secret

#: Milliseconds to wait for a server.
PATIENCE = 30_000
#: Documents of one request while writing.
BATCH = 500


class MongoWarehouse:
    """Documents in the database that the URI names; the server must be a replica set, as transactions need.

    Args:
        uri: `mongodb://HOST:PORT/DATABASE?replicaSet=NAME`, or `mongodb+srv://…`.
        client: An open client, in place of a new one.
    """

    def __init__(self, uri: str, client: "Client | None" = None) -> None:
        self._uri = uri
        self._given = client
        self._indexed: set[str] = set()

    @cached_property
    def _client(self) -> "Client":
        from pymongo import MongoClient

        if self._given is not None:
            return self._given
        words: dict[str, Any] = {}
        if user := os.environ.get(USER):
            words = {"username": user, "password": os.environ.get(PASSWORD, "")}
        return MongoClient(self._uri, serverSelectionTimeoutMS=PATIENCE, appname="twinstack", **words)

    @property
    def _database(self) -> "Database[Document]":
        return self._client.get_default_database("twinstack")

    def apply(
        self,
        changes: Mapping[str, tuple[Iterable[Document], Iterable[str]]],
        expected: Expected | None = None,
    ) -> None:
        """Upsert and delete, collection by collection, all in one transaction.

        Raises:
            ConflictError: The expected document is another one by now.
            DataError: A document holds what BSON cannot.
            WarehouseError: The server cannot be reached, or knows no transactions.
        """
        from bson.errors import BSONError
        from pymongo.errors import PyMongoError

        # A transaction may be run again: what comes from an iterator has to be kept.
        kept = {name: ([*upserts], [*deletes]) for name, (upserts, deletes) in changes.items()}
        try:
            for name in kept:
                self._index(name)
            with self._client.start_session() as session:
                session.with_transaction(lambda inner: self._write(kept, expected, inner))
        except (BSONError, OverflowError) as error:
            raise DataError(
                # Its message quotes the document, and errors go into logs.
                f"a document cannot be stored: {type(error).__name__}",
                where="stores.warehouse",
                remedy="shorten it, or take out what BSON cannot hold",
            ) from error
        except PyMongoError as error:
            raise WarehouseError(
                f"MongoDB refuses: {_reason(error)}",
                where="stores.warehouse",
                remedy="check address, user and password; the server must be a replica set",
            ) from error

    def _write(
        self,
        changes: Mapping[str, tuple[list[Document], list[str]]],
        expected: Expected | None,
        session: "Session | None",
    ) -> None:
        from pymongo import DeleteOne, ReplaceOne

        if expected:
            # A write, so that two transactions about one document cannot both go through.
            self._database["locks"].update_one(
                {"_id": f"{expected.collection}/{expected.key}"},
                {"$inc": {"changes": 1}},
                upsert=True,
                session=session,
            )
            found = self._database[expected.collection].find_one({"_id": expected.key}, session=session)
            require(expected, found)
        for name, (upserts, deletes) in changes.items():
            requests: list[Any] = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in upserts]
            requests += [DeleteOne({"_id": key}) for key in deletes]
            for start in range(0, len(requests), BATCH):
                self._database[name].bulk_write(requests[start : start + BATCH], session=session)

    def _index(self, name: str) -> None:
        """Make the indexes that scans use; inside a transaction they could not be made."""
        if name not in self._indexed:
            for fields in (("twin", "source", "_id"), ("twin", "_id")):
                self._database[name].create_index([(field, 1) for field in fields])
            self._indexed.add(name)

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""
        return self._database[collection].find_one({"_id": key})

    def scan(self, collection: str, span: Span = ALL, **equal: Values) -> Iterator[Document]:
        """Documents whose fields equal the given values, by id; `PAGE` in memory at a time."""

        def read(part: Span) -> Sequence[Document]:
            found = self._database[collection].find(_query(part, equal))
            return [*found.sort("_id", -1 if part.backwards else 1).limit(PAGE)]

        return paged(read, span)

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""
        return self._database[collection].count_documents(_query(ALL, equal))

    def close(self) -> None:
        """Give the connections back."""
        if "_client" in self.__dict__:
            self._client.close()


def _reason(error: Exception) -> str:
    """What the server says; of a bulk write only the codes, for the rest quotes the documents."""
    from pymongo.errors import BulkWriteError

    if not isinstance(error, BulkWriteError):
        return str(error)
    codes = {one.get("code") for one in error.details.get("writeErrors", [])}
    return f"write errors {', '.join(sorted(map(str, codes)))}"


def _query(span: Span, equal: Mapping[str, Values]) -> dict[str, Any]:
    fields = {name: one if isinstance(one, str) else {"$in": [*one]} for name, one in equal.items()}
    return {**fields, "_id": {"$gt": span.after} | ({"$lt": span.before} if span.before else {})}
