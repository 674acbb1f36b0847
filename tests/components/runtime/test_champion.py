"""Traffic: promote and roll back are one transaction, and repeatable."""

from pathlib import Path

import pytest

from components.adapters.warehouse import SqliteWarehouse
from components.runtime import champion
from components.shared.errors import NotFoundError
from components.shared.evaluation import Evaluation
from components.shared.releases import Release


def release(name: str) -> Release:
    numbers = Evaluation(twin="t", cases=1, cases_version="v", level=0.95, candidate={}, baseline_name="none")
    return Release(
        id=name, twin="t", kind="classic", model_version="1", model_uri="file:///m", dataset_version="d",
        commit="c", dirty=False, trained_on="rows", evaluation=numbers, created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    return SqliteWarehouse(tmp_path / "w.db")


def answering(warehouse: SqliteWarehouse) -> str:
    found = champion.champion_of(warehouse, "t")
    assert found is not None
    return found.id


def test_before_the_first_release_nobody_answers(warehouse: SqliteWarehouse) -> None:
    assert champion.champion_of(warehouse, "t") is None


def test_rollback_goes_back_through_the_history(warehouse: SqliteWarehouse) -> None:
    for name in ("one", "two", "three"):
        champion.promote(warehouse, release(name))
    assert champion.rollback(warehouse, "t").id == "two"
    assert champion.rollback(warehouse, "t").id == answering(warehouse) == "one"
    with pytest.raises(NotFoundError, match="no earlier release"):
        champion.rollback(warehouse, "t")


def test_promoting_again_changes_nothing(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    champion.promote(warehouse, release("two"))
    before = champion.traffic(warehouse, "t")
    champion.promote(warehouse, release("two"))
    assert champion.traffic(warehouse, "t") == before


def test_a_stored_candidate_does_not_answer(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    champion.store(warehouse, release("two"))
    assert answering(warehouse) == "one"


def test_an_unknown_release_names_the_known_ones(warehouse: SqliteWarehouse) -> None:
    champion.store(warehouse, release("one"))
    with pytest.raises(NotFoundError, match=r"no release 'zero'.*one"):
        champion.read_release(warehouse, "t", "zero")
