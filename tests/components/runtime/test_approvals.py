"""Asking once, answering once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.adapters.warehouse.contract import ConflictError
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.runtime import approvals
from components.shared.errors import NotFoundError

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    return SqliteWarehouse(tmp_path / "warehouse.db")


def test_asking_twice_is_asking_once(warehouse: SqliteWarehouse) -> None:
    first = approvals.ask(warehouse, "credit", "release", "r1", "a rule asks", NOW)
    assert approvals.ask(warehouse, "credit", "release", "r1", "again") == first
    assert approvals.listed(warehouse) == [first]
    approvals.ask(warehouse, "docs", "release", "r1", "another twin")
    assert [one.twin for one in approvals.listed(warehouse, "credit")] == ["credit"]


def test_an_answer_is_given_once(warehouse: SqliteWarehouse) -> None:
    asked = approvals.ask(warehouse, "credit", "release", "r1", "a rule asks")
    done = approvals.decide(warehouse, asked.id, "approved", "ann", "looks right", NOW)
    assert (done.state, done.by, done.decided) == ("approved", "ann", "2026-11-21T00:00:00+00:00")
    with pytest.raises(ConflictError, match="approved by 'ann'"):
        approvals.decide(warehouse, asked.id, "rejected", "bob")
    assert approvals.ask(warehouse, "credit", "release", "r1", "again").state == "approved"


def test_what_nobody_asked_cannot_be_answered(warehouse: SqliteWarehouse) -> None:
    with pytest.raises(NotFoundError, match="no approval 'x'"):
        approvals.decide(warehouse, "x", "approved", "ann")
