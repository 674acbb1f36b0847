"""The fleet: what answers goes on until the new release is open, and is closed after its last request."""

from typing import Any

import pytest

from components.serving.traffic.fleet import Fleet
from components.shared.config.access import Fleet as Settings
from components.shared.errors import MissingError
from components.shared.releases import Traffic


def champion(now: Traffic) -> str:
    return now.champion


def test_the_old_champion_answers_until_the_new_one_is_open(held: Any) -> None:
    held.opener.slow = {"two"}
    held.see("two", revision=2)
    assert held.fleet.report().opening == ("two",)
    opened, leave = held.fleet.take(champion)
    assert opened.release.id == "one"
    held.opener.go.set()
    held.until(lambda: held.fleet.active.champion == "two", "the new champion")
    # One request is still with the old release.
    assert held.opener.open() == {"one", "two"}
    leave()
    held.until(lambda: held.opener.open() == {"two"}, "the end of the old release")
    assert held.reports[-1].revision == 2


def test_a_release_that_cannot_be_opened_changes_nothing_and_is_told(held: Any) -> None:
    held.opener.broken = {"two"}
    held.see("two")
    held.until(lambda: held.fleet.report().failed == {"two": "RuntimeError"}, "the failure")
    assert held.fleet.active.champion == "one"
    held.see("two")
    assert held.opener.tried == ["one", "two"]
    held.clock.now += 30
    held.opener.broken = set()
    held.see("two")
    held.until(lambda: held.fleet.active.champion == "two", "the second try")
    assert held.fleet.report().failed == {}


def test_parts_that_are_not_open_are_left_out_until_they_are(held: Any) -> None:
    held.opener.slow = {"two"}
    held.see("one", canary={"release": "two", "share": 0.5}, fallback="three")
    assert (held.fleet.active.canary, held.fleet.active.fallback) == (None, "built-in")
    held.opener.go.set()
    held.until(lambda: held.fleet.active.fallback == "three", "the fallback")
    assert held.fleet.active.canary.release == "two"


def test_a_canary_that_is_promoted_answers_at_once(held: Any) -> None:
    held.see("one", canary={"release": "two", "share": 0.5})
    held.until(lambda: held.fleet.active.canary is not None, "the canary")
    held.see("two", history=("one",))
    assert held.fleet.active.champion == "two"
    assert held.fleet.active.canary is None
    assert held.opener.tried == ["one", "two"]


def test_a_change_of_mind_while_opening_leaves_the_first_in_place(held: Any) -> None:
    held.opener.slow = {"two"}
    held.see("two")
    held.see("one", history=())
    held.opener.go.set()
    held.until(lambda: held.opener.open() == {"one"} and "two" in held.opener.tried, "the sweep")
    assert held.fleet.active.champion == "one"


def test_earlier_champions_are_kept_open_for_a_rollback(held: Any) -> None:
    fleet: Fleet[Any] = Fleet(held.opener, Settings(kept=1))
    fleet.start(Traffic(twin="t", champion="a"))
    for name, history in (("b", ("a",)), ("c", ("b", "a"))):
        fleet.see(Traffic(twin="t", champion=name, history=history))
        held.until(lambda name=name: fleet.active.champion == name, name)
    held.until(lambda: "a" not in held.opener.open(), "the end of the oldest")
    fleet.see(Traffic(twin="t", champion="b", history=("a",)))
    assert fleet.active.champion == "b"
    fleet.close()


def test_after_the_end_nothing_is_taken(held: Any) -> None:
    fleet: Fleet[Any] = Fleet(held.opener, Settings())
    fleet.start(Traffic(twin="t", champion="a"))
    _, leave = fleet.take(champion)
    fleet.close()
    leave()
    with pytest.raises(MissingError):
        fleet.take(champion)


def test_a_champion_that_cannot_be_opened_at_the_start_is_an_error(held: Any) -> None:
    held.opener.broken = {"a"}
    fleet: Fleet[Any] = Fleet(held.opener, Settings())
    with pytest.raises(RuntimeError):
        fleet.start(Traffic(twin="t", champion="a"))
    fleet.close()
