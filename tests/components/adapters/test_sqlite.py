"""SQLite files that are full, locked or damaged: told, and usable again once the reason is gone."""

import sqlite3
from pathlib import Path

import pytest

from components.adapters import sqlite
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.shared.errors import StorageError


def document(key: str, size: int = 1) -> dict[str, str]:
    return {"_id": key, "twin": "t", "text": "x" * size}


def test_a_full_warehouse_is_told_and_takes_the_same_again_once_there_is_space(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.db"
    warehouse = SqliteWarehouse(path)
    warehouse.apply({"c": ([document("first")], ())})
    warehouse._db.execute("PRAGMA max_page_count = 8")  # SQLite then says what it says on a full disk
    with pytest.raises(StorageError, match=r"is full; .*warehouse\.db; free space") as raised:
        warehouse.apply({"c": ([document(str(at), 1_000) for at in range(100)], ["first"])})
    assert raised.value.http_status == 503
    assert [one["_id"] for one in warehouse.scan("c")] == ["first"]
    warehouse._db.execute("PRAGMA max_page_count = 1000")
    warehouse.apply({"c": ([document(str(at), 1_000) for at in range(100)], ["first"])})
    assert warehouse.count("c") == 100


def test_a_commit_that_fails_leaves_no_transaction_behind_for_the_next_to_fail_on(tmp_path: Path) -> None:
    connection = sqlite.opened(tmp_path / "some.db", synchronous="NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE b (a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), sqlite.transaction(connection):
        connection.execute("INSERT INTO b VALUES (1)")  # found wrong by the commit
    with sqlite.transaction(connection):
        connection.execute("INSERT INTO a VALUES (1)")
    assert connection.execute("SELECT * FROM a, b").fetchall() == []


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_warehouse_is_told_and_left_as_it_is(tmp_path: Path, cut: bool) -> None:
    path = tmp_path / "warehouse.db"
    if cut:
        whole = SqliteWarehouse(tmp_path / "whole.db")
        whole.apply({"c": ([document(str(at), 1_000) for at in range(100)], ())})
        whole._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes((tmp_path / "whole.db").read_bytes()[:20_000])
    else:
        path.write_bytes(b"no database, " * 1_000)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"warehouse\.db; put back a copy of it, or move it away"):
        SqliteWarehouse(path)
    assert path.read_bytes() == before


def test_a_table_of_another_schema_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "warehouse.db") as other:
        other.execute("CREATE TABLE documents (collection TEXT, id TEXT, body TEXT)")
    with pytest.raises(StorageError, match=r"no such column.*another version of Twinstack"):
        SqliteWarehouse(tmp_path / "warehouse.db")
