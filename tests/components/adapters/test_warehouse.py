"""One contract for every warehouse: transactions, filters, order, compare-and-set.

SQLite and PostgreSQL are real. MongoDB runs where `TEST_MONGODB_URI` names a replica set; otherwise mongomock
stands in, which is no MongoDB and knows no transactions, so what needs one is skipped.
"""

import inspect
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.adapters.warehouse.contract import ConflictError, Expected, Span, Warehouse, WarehouseError
from components.adapters.warehouse.mongo import MongoWarehouse
from components.adapters.warehouse.postgres import PostgresWarehouse
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.shared.errors import DataError
from tests import servers
from tests.conftest import free_port

MONGODB = "TEST_MONGODB_URI"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("pg") / "server") as uri:
        yield uri


class Unsafe(MongoWarehouse):
    """Without transactions, for mongomock."""

    def apply(self, changes: Any, expected: Expected | None = None) -> None:
        kept = {name: ([*upserts], [*deletes]) for name, (upserts, deletes) in changes.items()}
        self._write(kept, expected, None)


def mongo() -> MongoWarehouse:
    if uri := os.environ.get(MONGODB):
        return MongoWarehouse(uri)
    import mongomock
    from mongomock.collection import BulkOperationBuilder

    known = BulkOperationBuilder.add_replace
    if "sort" not in inspect.signature(known).parameters:  # pymongo 4.11 and later give one

        def tolerant(self: Any, *words: Any, sort: object = None, **more: Any) -> None:
            known(self, *words, **more)

        BulkOperationBuilder.add_replace = tolerant  # type: ignore[method-assign]
    return Unsafe("mongodb://stand-in/twinstack", mongomock.MongoClient())


@pytest.fixture(params=["sqlite", "postgresql", "mongodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    if request.param == "sqlite":
        yield SqliteWarehouse(tmp_path / "w.db")
        return
    made: Any = mongo() if request.param == "mongodb" else None
    made = made or PostgresWarehouse(request.getfixturevalue("postgres"))
    yield made
    made.close()


@pytest.fixture
def collection() -> str:
    """A collection that no other test has: the servers live longer than one."""
    return f"c{uuid.uuid4().hex}"


def transactional(store: Warehouse) -> None:
    if isinstance(store, Unsafe):
        pytest.skip(f"mongomock knows no transactions: name a real replica set with {MONGODB}")


def one(key: str, **body: Any) -> dict[str, Any]:
    return {"_id": key, "twin": "t", "source": "s", **body}


def test_an_upsert_replaces_and_a_delete_removes(store: Warehouse, collection: str) -> None:
    store.apply({collection: ([one("a", text="old"), one("b")], ())})
    store.apply({collection: ([one("a", text="new")], ["b", "not there"])})
    assert [found["text"] for found in store.scan(collection)] == ["new"]


def test_a_failing_transaction_leaves_everything_as_it_was(store: Warehouse, collection: str) -> None:
    store.apply({collection: ([one("a", text="old")], ())})

    def broken() -> Iterator[dict[str, Any]]:
        yield one("a", text="new")
        raise RuntimeError("source went away")

    with pytest.raises(RuntimeError):
        store.apply({collection: (broken(), ())})
    found = store.get(collection, "a")
    assert found is not None
    assert found["text"] == "old"


def test_a_change_of_two_collections_is_made_whole_or_not_at_all(store: Warehouse, collection: str) -> None:
    transactional(store)
    store.apply({collection: ([one("a", revision=1)], ())})
    wrong = Expected(collection, "a", 7)
    with pytest.raises(ConflictError):
        store.apply({f"{collection}x": ([one("b")], ()), collection: ((), ["a"])}, wrong)
    assert store.count(f"{collection}x") == 0 and store.count(collection) == 1


def test_values_come_back_as_they_were(store: Warehouse, collection: str) -> None:
    body = one(
        "a", number=0.1 + 0.2, whole=2**53 + 1, none=None, text="ä\n\"'", nested={"list": [1, "x", None]}
    )
    store.apply({collection: ([body], ())})
    assert store.get(collection, "a") == body
    assert store.get(collection, "absent") is None


def test_a_filter_on_any_field_compares_texts(store: Warehouse, collection: str) -> None:
    store.apply({collection: ([one("a", state="1"), one("b", state=1), one("c")], ())})
    assert [found["_id"] for found in store.scan(collection, state="1")] == ["a"]
    assert store.count(collection, state="1", twin="t") == 1


def test_collections_do_not_see_each_other(store: Warehouse, collection: str) -> None:
    store.apply({collection: ([one("a")], ()), f"{collection}x": ([one("a"), one("b")], ())})
    assert (store.count(collection), store.count(f"{collection}x")) == (1, 2)


def test_a_change_needs_the_revision_it_was_made_from(store: Warehouse, collection: str) -> None:
    def change(revision: int, before: int | None) -> None:
        changes = {collection: ([one("a", revision=revision)], ())}
        store.apply(changes, Expected(collection, "a", before))

    change(1, None)
    change(2, 1)
    for before in (None, 1):
        with pytest.raises(ConflictError):
            change(3, before)
    found = store.get(collection, "a")
    assert found is not None and found["revision"] == 2


def test_of_many_first_changes_at_once_one_goes_through(store: Warehouse, collection: str) -> None:
    transactional(store)
    outcomes: list[bool] = []

    def first(number: int) -> None:
        try:
            changes = {collection: ([one("a", revision=1, by=number)], ())}
            store.apply(changes, Expected(collection, "a", None))
        except ConflictError:
            outcomes.append(False)
        else:
            outcomes.append(True)

    threads = [threading.Thread(target=first, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]


def test_a_scan_pages_through_many_documents(store: Warehouse, collection: str) -> None:
    store.apply({collection: ((one(f"{number:05d}") for number in range(1234)), ())})
    assert [found["_id"] for found in store.scan(collection)] == [f"{number:05d}" for number in range(1234)]


def test_a_span_pages_between_two_ids_in_both_directions(store: Warehouse, collection: str) -> None:
    ids = [f"{number:05d}" for number in range(1500)]
    store.apply({collection: ((one(key) for key in ids), ())})
    store.apply({collection: ([one("00700x", twin="other")], ())})
    for backwards in (False, True):
        span = Span(ids[99], ids[1300], backwards)
        found = [each["_id"] for each in store.scan(collection, span, twin="t")]
        assert found == (ids[100:1300][::-1] if backwards else ids[100:1300])
    assert not list(store.scan(collection, Span(ids[-1])))


def test_a_field_may_be_any_of_several_values(store: Warehouse, collection: str) -> None:
    store.apply(
        {collection: ([one(f"{at:03d}", source=f"s{at % 100}", state=f"x{at}") for at in range(900)], ())}
    )
    wanted = {f"s{at}" for at in range(0, 100, 2)}
    found = list(store.scan(collection, twin="t", source=wanted))
    assert [each["_id"] for each in found] == [f"{at:03d}" for at in range(0, 900, 2)]
    assert store.count(collection, twin="t", source=wanted) == 450
    assert [each["_id"] for each in store.scan(collection, state={"x1", "x5", "y"})] == ["001", "005"]
    assert not list(store.scan(collection, twin="t", source=[]))


def test_sqlite_finds_by_twin_and_request_without_walking_the_collection(tmp_path: Path) -> None:
    store = SqliteWarehouse(tmp_path / "w.db")
    store.apply({"c": ([one("a")], ())})
    for equal, used in (
        ({"twin": "t"}, "documents_by_id (collection=? AND twin=? AND id>?)"),
        ({"twin": "t", "source": "s"}, "documents_by_twin (collection=? AND twin=? AND source=? AND id>?)"),
        ({"twin": "t", "source": ["s", "u"]}, "documents_by_twin (collection=? AND twin=? AND source=?"),
    ):
        source, values = store._source("c", Span(), equal)
        plan = store._db.execute(
            f"EXPLAIN QUERY PLAN SELECT body FROM {source} ORDER BY id", values
        ).fetchall()
        assert used in plan[0][3]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1, max_size=20).filter(str.isprintable), texts, max_size=30))
def test_what_goes_in_comes_out_in_the_order_of_its_ids(store: Warehouse, documents: dict[str, str]) -> None:
    name = f"c{uuid.uuid4().hex}"
    store.apply({name: ([one(key, text=text) for key, text in documents.items()], ())})
    found = {one["_id"]: one["text"] for one in store.scan(name, twin="t")}
    assert found == documents
    # By the bytes of the id, as every store has it: not by the language of a database.
    if not isinstance(store, Unsafe):
        assert [*found] == sorted(documents, key=str.encode)
    assert store.count(name, source="s") == len(documents)


def test_another_process_sees_what_is_committed(tmp_path: Path) -> None:
    SqliteWarehouse(tmp_path / "w.db").apply({"c": ([one("a")], ())})
    assert SqliteWarehouse(tmp_path / "w.db").count("c", twin="t") == 1


def test_postgresql_takes_up_again_after_its_connections_died(postgres: str, collection: str) -> None:
    import psycopg

    store = PostgresWarehouse(postgres)
    store.apply({collection: ([one("a")], ())})
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert store.count(collection) == 1
    store.close()


def test_several_processes_make_the_table_once(postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("DROP TABLE IF EXISTS twinstack_documents")
    stores = [PostgresWarehouse(postgres) for _ in range(4)]
    threads = [threading.Thread(target=one.count, args=("c",)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.count("c") for one in stores] == [0] * 4
    for made in stores:
        made.close()


def test_a_table_of_an_earlier_version_gets_the_index_that_it_lacks(postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as other:
        for _ in range(2):
            store = PostgresWarehouse(postgres)
            store.count("c")
            store.close()
            found = other.execute("SELECT to_regclass('twinstack_documents_by_id') IS NOT NULL").fetchone()
            assert found == (True,)
            other.execute("DROP INDEX twinstack_documents_by_id")


@pytest.mark.parametrize("body", [{"text": "a\0b"}, {"number": float("nan")}])
def test_what_postgresql_cannot_hold_is_refused_and_nothing_is_written(
    postgres: str, collection: str, body: dict[str, Any]
) -> None:
    store = PostgresWarehouse(postgres)
    with pytest.raises(DataError) as caught:
        store.apply({collection: ([one("a"), one("b", prompt="nobody's business", **body)], ())})
    assert "nobody" not in str(caught.value)
    assert store.count(collection) == 0
    store.close()


def test_what_mongodb_says_of_a_bulk_write_does_not_repeat_the_documents() -> None:
    from pymongo.errors import BulkWriteError

    from components.adapters.warehouse.mongo import _reason

    wrong = {"code": 11000, "errmsg": "nobody's business", "op": {"text": "nobody's business"}}
    assert _reason(BulkWriteError({"writeErrors": [wrong]})) == "write errors 11000"


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.adapters.warehouse.postgres.PATIENCE", 0.5)
    with pytest.raises(WarehouseError, match="PostgreSQL does not answer"):
        PostgresWarehouse(f"postgresql://test@127.0.0.1:{free_port()}/test").count("c")
    monkeypatch.setattr("components.adapters.warehouse.mongo.PATIENCE", 500)
    mongo_away = MongoWarehouse(f"mongodb://127.0.0.1:{free_port()}/test")
    with pytest.raises(WarehouseError, match="MongoDB refuses"):
        mongo_away.apply({"c": ([one("a")], ())})
    mongo_away.close()
