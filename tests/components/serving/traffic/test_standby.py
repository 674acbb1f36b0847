"""What may be wanted next is opened beforehand, after everything that answers, and costs no request."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.runtime import champion, standby
from components.serving.traffic.fronts import Reporter
from components.serving.traffic.standby import Standby
from components.shared.config import load
from components.shared.config.access import Fleet as Settings
from components.shared.metrics.instruments import Instruments
from components.shared.releases import Part, Traffic
from tests.components.samples import release


def seen(held: Any, traffic: Traffic, *names: str) -> None:
    held.fleet.see(traffic, names)


ONE = Traffic(twin="t", champion="one")
TWO = Traffic(twin="t", champion="two", history=("one",))


def test_a_promoted_standby_answers_with_the_next_look_and_is_not_opened_again(held: Any) -> None:
    seen(held, ONE, "two")
    held.until(lambda: "two" in held.fleet.report().open, "the standby")
    assert held.fleet.active.champion == "one"
    seen(held, TWO)
    assert held.fleet.active.champion == "two", "in the same call, without waiting for anything"
    assert held.opener.tried == ["one", "two"]


def test_a_standby_is_opened_after_everything_that_answers_and_one_after_the_other(held: Any) -> None:
    held.opener.slow = {"canary", "two"}
    part = Part(release="canary", share=0.5)
    seen(held, ONE.model_copy(update={"canary": part}), "two", "three")
    assert held.fleet.report().opening == ("canary",)
    held.opener.go.set()
    held.until(lambda: "three" in held.fleet.report().open, "both")
    assert held.opener.tried == ["one", "canary", "two", "three"]
    assert not [one for one in held.reports if len(one.opening) > 1]


def test_a_standby_that_nobody_wants_any_more_is_closed(held: Any) -> None:
    seen(held, ONE, "two")
    held.until(lambda: "two" in held.fleet.report().open, "the standby")
    seen(held, ONE, "three")
    held.until(lambda: held.opener.open() == {"one", "three"}, "its end")


def test_a_standby_that_cannot_be_opened_is_told_and_the_next_one_is_opened(held: Any) -> None:
    held.opener.broken = {"two"}
    seen(held, ONE, "two", "three")
    held.until(lambda: "three" in held.fleet.report().open, "the next")
    assert held.fleet.report().failed == {"two": "RuntimeError"}
    opened, leave = held.fleet.take(lambda now: now.champion)
    assert opened.release.id == "one"
    leave()
    seen(held, ONE)
    assert held.fleet.report().failed == {}


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    return SqliteWarehouse(tmp_path / "warehouse.db")


def test_where_a_rollback_returns_to_comes_first_and_the_number_is_bounded(
    warehouse: SqliteWarehouse, corpus: Path
) -> None:
    for name in ("older", "newer", "now"):
        assert standby.announce(load(corpus / "twinstack.yaml"), warehouse, release(name))
    now = Traffic(twin="t", champion="now", history=("before", "long ago"))

    def wanted(**settings: int) -> tuple[str, ...]:
        return Standby(warehouse, "t", Settings.model_validate(settings)).wanted(now)

    assert wanted(standby=1) == ("before",)
    assert wanted(standby=2) == ("before", "newer")
    assert wanted(standby=9, kept=2) == ("before", "newer", "older", "long ago")
    assert wanted(standby=2, kept=0) == ("newer", "older")
    assert wanted(standby=0) == ()


def test_nothing_is_opened_beforehand_while_memory_is_short(
    held: Any, warehouse: SqliteWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    share = [0.1]
    found = Standby(warehouse, "t", Settings(standby_free=0.2), lambda: share[0])
    held.fleet._room = found.room
    for _ in range(3):
        seen(held, ONE, "two")
    assert held.opener.tried == ["one"]
    assert [one.message for one in caplog.records if "two" in one.message] == [
        "release two is not opened beforehand: 10 % of memory left"
    ]
    share[0] = 0.2
    seen(held, ONE, "two")
    held.until(lambda: "two" in held.fleet.report().open, "the standby")


def test_the_metric_says_how_far_a_standby_is(held: Any, warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    registry = CollectorRegistry()
    reporter = Reporter(warehouse, "t", "classic", Instruments(registry))

    def state(name: str) -> float | None:
        reporter.changed(held.fleet.report())
        reporter.beat()
        return registry.get_sample_value("twinstack_standby_state", {"twin": "t", "release": name})

    held.opener.slow, held.opener.broken = {"two"}, {"three"}
    seen(held, ONE, "two", "three")
    assert state("two") == 1
    held.opener.go.set()
    held.until(lambda: state("two") == 2 and state("three") == 3, "both")
    failed = {"twin": "t", "release": "three"}
    assert registry.get_sample_value("twinstack_release_failed", failed) is None, "it is not in the traffic"
    seen(held, ONE)
    assert (state("two"), state("three")) == (0, 0)
