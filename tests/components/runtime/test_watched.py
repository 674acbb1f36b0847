"""Windows in the warehouse: replicas add to one, exactly once, and close it when it is due."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.dataflows import drift_reference
from components.dataflows.drift_reference import Reference
from components.dataflows.drift_window import Window
from components.runtime import watched
from components.shared.config.base import Monitor

DRAW = np.random.default_rng(0)
REFERENCE = Reference(
    made="2026-01-01T00:00:00+00:00",
    described="test",
    signals=(drift_reference.numeric("amount", DRAW.normal(size=2000), 10),),
)
SETTINGS = Monitor(window_rows=500, minimum_rows=100, window_seconds=60)
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    return SqliteWarehouse(tmp_path / "warehouse.db")


def fresh(rows: int, shift: float = 0.0) -> Window:
    window = Window(REFERENCE)
    if rows:
        window.add(rows, {"amount": DRAW.normal(shift, size=rows)})
    return window


def add(warehouse: SqliteWarehouse, window: Window, seconds: float = 0) -> watched.Closed | None:
    at = START + timedelta(seconds=seconds)
    return watched.add(warehouse, "credit", "r1", window, SETTINGS, 0, clock=lambda: at)


def test_a_window_is_closed_once_it_has_its_rows(warehouse: SqliteWarehouse) -> None:
    assert add(warehouse, fresh(300)) is None
    closed = add(warehouse, fresh(300))
    assert closed is not None
    assert closed.rows == 600 and closed.drifted == ()
    assert watched.newest(warehouse, "r1") == closed
    assert add(warehouse, fresh(300)) is None  # the next one begins


def test_an_old_window_is_closed_with_fewer_rows_but_not_with_too_few(warehouse: SqliteWarehouse) -> None:
    assert add(warehouse, fresh(90)) is None
    assert add(warehouse, fresh(0), seconds=61) is None
    closed = add(warehouse, fresh(30, shift=3), seconds=62)
    assert closed is not None
    assert closed.rows == 120 and closed.drifted == ("amount",)
    assert closed.start == START.isoformat()


def test_replicas_add_at_the_same_time_and_no_row_counts_twice_or_never(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.db"
    replicas = [SqliteWarehouse(path) for _ in range(4)]

    def run(replica: SqliteWarehouse) -> int:
        found = [add(replica, fresh(70)) for _ in range(10)]
        return sum(one.rows for one in found if one)

    with ThreadPoolExecutor(4) as pool:
        closed = sum(pool.map(run, replicas))
    rest = add(replicas[0], fresh(500))
    assert rest is not None
    assert closed + rest.rows == 4 * 10 * 70 + 500


def test_only_the_last_windows_are_kept(warehouse: SqliteWarehouse) -> None:
    for _ in range(watched.KEPT + 3):
        add(warehouse, fresh(500))
    found = watched.results(warehouse, "r1")
    assert len(found) == watched.KEPT
    assert found[0] == watched.newest(warehouse, "r1")


def test_without_rows_nothing_is_written(warehouse: SqliteWarehouse) -> None:
    assert add(warehouse, fresh(0)) is None
    assert warehouse.count(watched.WINDOWS) == 0
    assert watched.newest(warehouse, "r1") is None
