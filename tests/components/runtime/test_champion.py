"""Traffic: promote and roll back are one transaction, and repeatable."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.adapters.warehouse.contract import ConflictError
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.runtime import champion, policy
from components.shared.errors import NotFoundError, RequestError
from components.shared.releases import TRAFFIC, Part, Traffic
from tests.components.samples import release


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


def test_an_earlier_release_that_answers_again_is_nothing_to_go_back_to(warehouse: SqliteWarehouse) -> None:
    for name in ("one", "two", "one"):
        champion.promote(warehouse, release(name))
    assert champion.rollback(warehouse, "t").id == "two"
    with pytest.raises(NotFoundError, match="no earlier release"):
        champion.rollback(warehouse, "t")


def test_a_stored_candidate_does_not_answer(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    champion.store(warehouse, release("two"))
    assert answering(warehouse) == "one"


def test_an_unknown_release_names_the_known_ones(warehouse: SqliteWarehouse) -> None:
    champion.store(warehouse, release("one"))
    with pytest.raises(NotFoundError, match=r"no release 'zero'.*one"):
        champion.read_release(warehouse, "t", "zero")


def test_a_change_made_from_an_older_traffic_is_refused(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    seen = champion.require_traffic(warehouse, "t")
    champion.promote(warehouse, release("two"))
    with pytest.raises(ConflictError, match="changed by somebody else"):
        champion.change(warehouse, seen, seen.model_copy(update={"champion": "zero"}), release("three"))
    assert answering(warehouse) == "two"
    with pytest.raises(NotFoundError):
        champion.read_release(warehouse, "t", "three")


def test_two_first_releases_do_not_overwrite_each_other(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    with pytest.raises(ConflictError):
        champion.change(warehouse, None, Traffic(twin="t", champion="two"), release("two"))


def test_many_people_at_once_lose_no_change(warehouse: SqliteWarehouse) -> None:
    """Each gets its release into the history, or is told that somebody was faster."""
    champion.promote(warehouse, release("first"))

    def try_to(name: str) -> bool:
        try:
            champion.promote(warehouse, release(name))
        except ConflictError:
            return False
        return True

    names = [f"r{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        done = [name for name, ok in zip(names, pool.map(try_to, names), strict=True) if ok]
    now = champion.require_traffic(warehouse, "t")
    assert {now.champion, *now.history} == {"first", *done}
    assert now.revision == 1 + len(done)


def test_canary_and_shadow_are_set_and_cleared_beside_the_champion(warehouse: SqliteWarehouse) -> None:
    for name in ("old", "one"):
        champion.promote(warehouse, release(name))
    for name in ("two", "three"):
        champion.store(warehouse, release(name))
    policy.changed(warehouse, "t", {"canary": policy.part("two", 0.1, "canary")})
    now = policy.changed(warehouse, "t", {"shadow": policy.part("three", 1, "shadow"), "fallback": "old"})
    assert now.canary == Part(release="two", share=0.1)
    assert now.answering == ("one", "two", "three", "old")
    assert now.history == ("old",)
    cleared = policy.changed(warehouse, "t", policy.CLEAR)
    assert (cleared.canary, cleared.shadow, cleared.fallback) == (None, None, "built-in")
    assert policy.changed(warehouse, "t", policy.CLEAR) == cleared


def test_promoting_the_canary_ends_it(warehouse: SqliteWarehouse) -> None:
    champion.promote(warehouse, release("one"))
    champion.store(warehouse, release("two"))
    policy.changed(warehouse, "t", {"canary": policy.part("two", 0.5, "canary"), "fallback": "two"})
    now = champion.promote(warehouse, release("two"))
    assert (now.champion, now.canary, now.fallback, now.history) == ("two", None, "built-in", ("one",))


def test_rolling_back_ends_a_canary(warehouse: SqliteWarehouse) -> None:
    for name in ("one", "two"):
        champion.promote(warehouse, release(name))
    champion.store(warehouse, release("three"))
    policy.changed(warehouse, "t", {"canary": policy.part("three", 0.5, "canary")})
    champion.rollback(warehouse, "t")
    assert champion.require_traffic(warehouse, "t").canary is None


def test_wrong_parts_are_refused(warehouse: SqliteWarehouse) -> None:
    with pytest.raises(NotFoundError, match="no champion yet"):
        policy.changed(warehouse, "t", policy.CLEAR)
    champion.promote(warehouse, release("one"))
    with pytest.raises(NotFoundError, match="no release 'zero'"):
        policy.changed(warehouse, "t", {"canary": policy.part("zero", 0.1, "canary")})
    with pytest.raises(RequestError, match="champion already"):
        policy.changed(warehouse, "t", {"fallback": "one"})
    for share in (0, -1, 1.01, float("nan")):
        with pytest.raises(RequestError, match="share"):
            policy.part("one", share, "canary")


def test_a_traffic_of_before_there_were_revisions_is_read_and_changed(warehouse: SqliteWarehouse) -> None:
    champion.store(warehouse, release("one"))
    body = {"twin": "t", "champion": "one", "history": []}
    warehouse.apply({TRAFFIC: ([{"_id": "t", "twin": "t", "body": body}], ())})
    champion.promote(warehouse, release("two"))
    assert champion.require_traffic(warehouse, "t").history == ("one",)
