"""The warehouse: transactions, filters, order."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.adapters.warehouse import SqliteWarehouse


def one(key: str, **body: str) -> dict[str, str]:
    return {"_id": key, "twin": "t", "source": "s", **body}


def test_an_upsert_replaces_and_a_delete_removes(tmp_path: Path) -> None:
    store = SqliteWarehouse(tmp_path / "w.db")
    store.apply({"c": ([one("a", text="old"), one("b")], ())})
    store.apply({"c": ([one("a", text="new")], ["b", "not there"])})
    assert [found["text"] for found in store.scan("c")] == ["new"]


def test_a_failing_transaction_leaves_everything_as_it_was(tmp_path: Path) -> None:
    store = SqliteWarehouse(tmp_path / "w.db")
    store.apply({"c": ([one("a", text="old")], ())})

    def broken():
        yield one("a", text="new")
        raise RuntimeError("source went away")

    with pytest.raises(RuntimeError):
        store.apply({"c": (broken(), ())})
    found = store.get("c", "a")
    assert found is not None
    assert found["text"] == "old"


def test_another_process_sees_what_is_committed(tmp_path: Path) -> None:
    SqliteWarehouse(tmp_path / "w.db").apply({"c": ([one("a")], ())})
    assert SqliteWarehouse(tmp_path / "w.db").count("c", twin="t") == 1


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50), max_size=30))
def test_what_goes_in_comes_out_in_the_order_of_its_ids(tmp_path_factory, documents: dict[str, str]) -> None:
    store = SqliteWarehouse(tmp_path_factory.mktemp("w") / "w.db")
    usable = {key: text for key, text in documents.items() if "\0" not in key and key.isprintable()}
    store.apply({"c": ([one(key, text=text) for key, text in usable.items()], ())})
    assert {found["_id"]: found["text"] for found in store.scan("c", twin="t")} == usable
    assert store.count("c", source="s") == len(usable)


def test_a_scan_pages_through_many_documents(tmp_path: Path) -> None:
    store = SqliteWarehouse(tmp_path / "w.db")
    store.apply({"c": ((one(f"{number:05d}") for number in range(1234)), ())})
    assert [found["_id"] for found in store.scan("c")] == [f"{number:05d}" for number in range(1234)]
