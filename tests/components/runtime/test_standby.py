"""A promotion lets running fronts open the release first, and waits for none that will not."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.runtime import champion, fronts, promotion, standby
from components.runtime.fronts import Front
from components.shared.config import Config, load
from components.shared.releases import Release
from tests.components.samples import release
from tests.conftest import until


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    made = SqliteWarehouse(tmp_path / "warehouse.db")
    champion.promote(made, release("one"))
    return made


@pytest.fixture
def config(corpus: Path) -> Config:
    return load(corpus / "twinstack.yaml")


def tell(warehouse: SqliteWarehouse, **parts: Any) -> None:
    """Let a front say what it has open."""
    values = {"id": "f", "twin": "t", "at": time.time(), "revision": 1, "champion": "one", **parts}
    fronts.tell(warehouse, Front.model_validate(values))


def answer(config: Config, warehouse: SqliteWarehouse, name: str = "two") -> list[str]:
    """What a promotion reports."""
    said = list[str]()
    promotion.answer(config, warehouse, release(name), said.append)
    assert champion.require_traffic(warehouse, "t").champion == name
    assert standby.announced(warehouse, "t") == ()
    return said


def ticking(step: float) -> Callable[[], float]:
    """A clock that is that much later at every look."""
    times = iter(range(1_000_000))
    return lambda: step * next(times)


def test_the_traffic_changes_once_every_front_has_the_release_open(
    config: Config, warehouse: SqliteWarehouse
) -> None:
    tell(warehouse, open=["one"])
    promoting = threading.Thread(target=answer, args=(config, warehouse))
    promoting.start()
    until(lambda: standby.announced(warehouse, "t") == ("two",), 20, "the announcement")
    tell(warehouse, open=["one"], opening=["two"])
    assert champion.require_traffic(warehouse, "t").champion == "one"
    tell(warehouse, open=["one", "two"])
    promoting.join(timeout=20)
    assert champion.require_traffic(warehouse, "t").champion == "two"


def test_without_a_running_front_nothing_is_waited_for(config: Config, warehouse: SqliteWarehouse) -> None:
    assert answer(config, warehouse) == []
    tell(warehouse, at=time.time() - 2 * fronts.GONE)
    assert answer(config, warehouse, "three") == []


@pytest.mark.parametrize("off", [{"standby": 0}, {"prepare_seconds": 0}])
def test_what_is_turned_off_is_not_waited_for(
    config: Config, warehouse: SqliteWarehouse, off: dict[str, float]
) -> None:
    tell(warehouse)
    fleet = config.serving.fleet.model_copy(update=off)
    serving = config.serving.model_copy(update={"fleet": fleet})
    assert answer(config.model_copy(update={"serving": serving}), warehouse) == []


def test_a_front_that_cannot_open_it_is_told_of_and_not_waited_for(
    config: Config, warehouse: SqliteWarehouse
) -> None:
    tell(warehouse, failed={"two": "a file is gone"})
    # Who promotes again what has just failed is told at once.
    promoted = release("two")
    champion.store(warehouse, promoted)
    said = list[str]()
    standby.prepare(config, warehouse, promoted, said.append)
    assert said == ["f cannot open it, what answers there goes on: a file is gone"]


@pytest.mark.parametrize(
    ("tells", "step", "ends"),
    [
        ({}, 2.0, []),
        ({"opening": ["two"]}, 20.0, ["not open yet in f; what answers there goes on until it is"]),
    ],
    ids=["a front that does not begin", "a front that takes too long"],
)
def test_nobody_waits_for_ever(
    config: Config, warehouse: SqliteWarehouse, tells: dict[str, Any], step: float, ends: list[str]
) -> None:
    tell(warehouse, **tells)
    said = list[str]()
    standby.prepare(config, warehouse, release("two"), said.append, ticking(step))
    assert said == ["waiting until the running servers have release two open", *ends]


def test_a_release_without_its_predictor_is_not_announced_on_a_cluster(
    config: Config, warehouse: SqliteWarehouse
) -> None:
    cluster = config.model_copy(update={"profile": "cluster"})
    bare: Release = release("two")
    assert not standby.announce(cluster, warehouse, bare)
    assert standby.announce(cluster, warehouse, bare.model_copy(update={"predictor": "http://p#m"}))
    assert standby.announced(warehouse, "t") == ("two",)


def test_announcements_are_bounded_and_withdrawn_one_by_one(
    config: Config, warehouse: SqliteWarehouse
) -> None:
    for number in range(standby.KEPT + 2):
        standby.announce(config, warehouse, release(f"r{number}"))
    standby.announce(config, warehouse, release("r5"))
    found = standby.announced(warehouse, "t")
    assert len(found) == standby.KEPT
    assert found[:2] == ("r5", f"r{standby.KEPT + 1}")
    standby.withdraw(warehouse, "t", ["r5", "unknown"])
    assert standby.announced(warehouse, "t") == found[1:]
