"""A real server follows the traffic document, under load and without a restart."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from components.adapters.stores import Stores
from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, fronts, policy, promotion, standby
from components.runtime.history.lineage import trace
from components.serving.traffic.fronts import FAILED, OPEN
from components.shared.config import load
from components.shared.interactions import INTERACTIONS
from components.shared.releases import Part
from pipelines.cli import app
from tests.components.serving.conftest import Running, beside, start, stop
from tests.conftest import free_port, until

V1 = "/v1/models/credit:predict"
BODY = {"instances": [{"applicant_id": "A0001"}]}


@dataclass
class Live:
    """A server over twin credit in a project of its own, with a second release that nobody asks yet."""

    folder: Path
    warehouse: Warehouse
    running: Running
    client: httpx.Client
    first: str
    second: str
    broken: str

    def predict(self, sticky: str = "") -> httpx.Response:
        return self.client.post(V1, json=BODY, headers={"x-twinstack-sticky": sticky} if sticky else {})

    def release(self, sticky: str = "") -> str:
        return self.predict(sticky).headers["x-twinstack-release"]

    def promote(self, name: str) -> None:
        champion.promote(self.warehouse, champion.read_release(self.warehouse, "credit", name))

    def seconds_until(self, name: str) -> float:
        """Seconds from now to the first answer of a release."""
        begun = time.monotonic()
        until(lambda: self.release() == name, 30, f"an answer of {name}")
        return time.monotonic() - begun

    def lineage(self, answer: httpx.Response, size: int = 1) -> list[dict[str, Any]]:
        """The trees of an answer, once so many of them are in the warehouse."""
        name, stores = answer.headers["x-request-id"], Stores(load(self.folder / "twinstack.yaml"))
        until(lambda: self.warehouse.count(INTERACTIONS, twin="credit", source=name) == size, 30, "shipping")
        return [one.as_json() for one in trace(stores, ["credit"], name)]

    def standby(self, name: str) -> float:
        """The metric of a release that is opened beforehand; -1 where it is not shown."""
        shown = f'twinstack_standby_state{{release="{name}",twin="credit"}} '
        found = [line for line in self.client.get("/metrics").text.splitlines() if line.startswith(shown)]
        return float(found[0].split()[-1]) if found else -1

    def opened(self) -> list[str]:
        """What the log says was opened beside the first champion."""
        return [line for line in self.running.log if "is open after" in line]

    def twin(self, *words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--config", str(self.folder / "twinstack.yaml")])
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture(scope="module")
def live(released: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    source, config, credit, _ = released
    folder = tmp_path_factory.mktemp("live")
    warehouse = beside(source, config, folder)
    shutil.copytree(config.state_path / "features", folder / "state/features")
    for name, uri in (("second", credit.model_uri), ("broken", "file:///nowhere")):
        made = credit.model_copy(update={"id": name, "model_version": name, "model_uri": uri})
        champion.store(warehouse, made)
    running = start(folder, "--twin", "credit")
    with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client:
        yield Live(folder, warehouse, running, client, credit.id, "second", "broken")
    assert stop(running) == 0, "".join(running.log)
    assert "Traceback" not in "".join(running.log)


@dataclass
class Load:
    """Callers that ask all the time and keep what they got."""

    live: Live
    statuses: list[int] = field(default_factory=list)
    releases: set[str] = field(default_factory=set)

    def __enter__(self) -> "Load":
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx.Client(base_url=self.live.running.url, timeout=30, trust_env=False) as client:
            while not self._ends.is_set():
                answer = client.post(V1, json=BODY)
                self.statuses.append(answer.status_code)
                self.releases.add(answer.headers["x-twinstack-release"])


def test_promote_and_rollback_are_picked_up_within_2_s_and_no_request_fails(live: Live) -> None:
    with Load(live) as load_:
        live.promote(live.second)
        live.seconds_until(live.second)  # it had to be opened first
        champion.rollback(live.warehouse, "credit")
        assert live.seconds_until(live.first) < 2
        for _ in range(3):
            live.promote(live.second)
            live.seconds_until(live.second)
            champion.rollback(live.warehouse, "credit")
            live.seconds_until(live.first)
    assert set(load_.statuses) == {200}
    assert len(load_.statuses) > 50
    assert load_.releases == {live.first, live.second}


def test_a_release_that_waits_for_a_person_is_open_before_it_is_promoted(live: Live) -> None:
    waits = champion.read_release(live.warehouse, "credit", live.second).model_copy(update={"id": "waits"})
    champion.store(live.warehouse, waits)
    config = load(live.folder / "twinstack.yaml")
    assert standby.announce(config, live.warehouse, waits)
    until(lambda: live.standby("waits") == OPEN, 30, "the standby")
    assert live.release() == live.first
    opened = live.opened()
    with Load(live) as load_:
        promotion.answer(config, live.warehouse, waits, pytest.fail)  # nothing is left to wait for
        live.seconds_until("waits")
        champion.rollback(live.warehouse, "credit")
        live.seconds_until(live.first)
    assert live.opened() == opened, "no release had to be opened for either"
    assert set(load_.statuses) == {200}
    until(lambda: live.standby("waits") == 0, 30, "its end")


def test_a_release_that_nobody_asked_for_is_open_everywhere_before_it_answers(live: Live) -> None:
    fresh = champion.read_release(live.warehouse, "credit", live.second).model_copy(update={"id": "fresh"})
    said = list[str]()
    with Load(live) as load_:
        promotion.answer(load(live.folder / "twinstack.yaml"), live.warehouse, fresh, said.append)
        (front,) = fronts.running(live.warehouse, "credit")
        assert "fresh" in front.open, "open by the time of the promotion"
        live.seconds_until("fresh")
        champion.rollback(live.warehouse, "credit")
        live.seconds_until(live.first)
    assert said == ["waiting until the running servers have release fresh open"]
    assert set(load_.statuses) == {200}


def test_a_standby_that_cannot_be_opened_is_shown_and_fails_no_request(live: Live) -> None:
    broken = champion.read_release(live.warehouse, "credit", live.broken)
    with Load(live) as load_:
        standby.announce(load(live.folder / "twinstack.yaml"), live.warehouse, broken)
        until(lambda: live.standby(live.broken) == FAILED, 30, "the failure")
    assert f"cannot open {live.broken}" in live.twin("traffic", "credit")
    standby.withdraw(live.warehouse, "credit", [live.broken])
    until(lambda: live.standby(live.broken) == 0, 30, "its end")
    assert set(load_.statuses) == {200}


def test_a_canary_answers_its_share_of_the_callers_always_the_same(live: Live) -> None:
    live.twin("traffic", "credit", "--canary", live.second, "--share", "0.5")
    callers = [f"user-{number}" for number in range(20)]
    until(lambda: len({live.release(one) for one in callers}) == 2, 30, "the canary")
    first = [live.release(one) for one in callers]
    assert first == [live.release(one) for one in callers]
    answer = live.predict(callers[first.index(live.second)])
    assert answer.headers["x-twinstack-role"] == "canary"
    (tree,) = live.lineage(answer)
    assert (tree["facts"]["role"], tree["parents"][0]["name"]) == ("canary", live.second)
    assert "canary 50%" in live.twin("releases", "--twin", "credit")
    live.twin("traffic", "credit", "--clear")
    until(lambda: {live.release(one) for one in callers} == {live.first}, 30, "its end")


def test_a_shadow_answers_nobody(live: Live) -> None:
    live.twin("traffic", "credit", "--shadow", live.second)

    def copied() -> bool:
        assert live.release() == live.first
        name = f'twinstack_shadow_total{{release="{live.second}",shadow="answered",twin="credit"}}'
        return name in live.client.get("/metrics").text

    until(copied, 30, "a copy")
    answered, copy = live.lineage(live.predict(), size=2)
    assert (answered["facts"]["role"], answered["parents"][0]["name"]) == ("champion", live.first)
    assert (copy["facts"]["role"], copy["parents"][0]["name"]) == ("shadow", live.second)
    assert {"kind": "shadow of", "name": answered["name"], "facts": {}, "parents": ()} in copy["parents"]
    policy.changed(live.warehouse, "credit", policy.CLEAR)


def test_a_shadow_that_hangs_delays_nobody(live: Live) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hangs:  # takes connections, and never answers
        uri = f"http://127.0.0.1:{hangs.getsockname()[1]}#m"
        made = champion.read_release(live.warehouse, "credit", live.second)
        champion.store(live.warehouse, made.model_copy(update={"id": "hangs", "predictor": uri}))

        def seconds() -> list[float]:
            return sorted(live.predict().elapsed.total_seconds() for _ in range(100))

        alone = seconds()
        policy.changed(live.warehouse, "credit", {"shadow": Part(release="hangs", share=1.0)})
        dropped = 'twinstack_shadow_total{release="hangs",shadow="dropped",twin="credit"}'
        until(lambda: bool(seconds()) and dropped in live.client.get("/metrics").text, 60, "a full queue")
        beside = seconds()
        policy.changed(live.warehouse, "credit", policy.CLEAR)
    assert beside[50] < 2 * alone[50] + 0.005
    assert beside[-1] < 5, "the shadow's timeout is 10 s"


def test_a_release_that_cannot_be_opened_leaves_the_champion_and_is_shown(live: Live) -> None:
    live.promote(live.broken)
    until(lambda: f"cannot open {live.broken}" in live.twin("traffic", "credit"), 30, "the report")
    assert live.predict().status_code == 200
    assert live.release() == live.first
    name = f'twinstack_release_failed{{release="{live.broken}",twin="credit"}}'
    assert f"{name} 1.0" in live.client.get("/metrics").text
    assert any(f"release {live.broken} cannot be opened" in line for line in live.running.log)
    champion.rollback(live.warehouse, "credit")
    until(lambda: live.broken not in live.twin("traffic", "credit"), 30, "the end of the report")
    assert f"{name} 0.0" in live.client.get("/metrics").text


def test_lineage_of_a_fallback_says_who_answered_and_why_nobody_else_did(live: Live) -> None:
    config = load(live.folder / "twinstack.yaml")
    uri = f"http://127.0.0.1:{free_port()}#m"  # nobody listens there
    made = champion.read_release(live.warehouse, "credit", live.second)
    gone = made.model_copy(update={"id": "gone", "predictor": uri})
    promotion.answer(config, live.warehouse, gone, lambda _: None)
    live.seconds_until("gone")
    state = 'twinstack_breaker_state{release="gone",twin="credit"} 2.0'
    until(lambda: live.predict().status_code == 200 and state in live.client.get("/metrics").text, 30, "open")
    (tree,) = live.lineage(found := live.predict())
    assert found.headers["x-twinstack-answered-by"] == "scorecard"
    assert (tree["facts"]["role"], tree["facts"]["answered"]) == ("fallback", "scorecard")
    release, failed = tree["parents"][:2]
    assert (release["kind"], release["name"]) == ("release", "gone"), "whose scorecard it is"
    assert failed == {
        "kind": "no answer of", "name": "gone", "facts": {"why": "its circuit is open"}, "parents": (),
    }  # fmt: skip
    policy.changed(live.warehouse, "credit", {"fallback": live.first})
    until(lambda: live.release() == live.first, 30, "the other release")
    (tree,) = live.lineage(found := live.predict())
    assert (tree["facts"]["role"], tree["facts"]["answered"]) == ("fallback", "release")
    assert [one["name"] for one in tree["parents"][:2]] == [live.first, "gone"]
    said = live.twin("lineage", found.headers["x-request-id"])
    assert "role fallback" in said and "no answer of gone  why its circuit is open" in said
    policy.changed(live.warehouse, "credit", policy.CLEAR)
    champion.rollback(live.warehouse, "credit")
    live.seconds_until(live.first)


def test_metrics_show_which_release_answers(live: Live) -> None:
    live.promote(live.second)
    live.seconds_until(live.second)

    def shown() -> dict[str, str]:
        lines = live.client.get("/metrics").text.splitlines()
        found = [
            line for line in lines if line.startswith("twinstack_release_info") and 'role="champion"' in line
        ]
        return {line.split('release="')[1].split('"')[0]: line.split()[-1] for line in found}

    until(
        lambda: {one for one, value in shown().items() if value == "1.0"} == {live.second}, 30, "the metric"
    )
    assert shown()[live.first] == "0.0"
    champion.rollback(live.warehouse, "credit")
    live.seconds_until(live.first)


def test_a_warehouse_that_is_away_changes_nothing(live: Live) -> None:
    """A table of another name is what a store that fails looks like from here."""
    import sqlite3

    path = live.folder / "state/warehouse.db"
    with sqlite3.connect(path, timeout=30) as db:
        db.execute("ALTER TABLE documents RENAME TO elsewhere")
    until(lambda: any("cannot be read" in line for line in live.running.log), 30, "the failing read")
    assert live.predict().status_code == 200
    with sqlite3.connect(path, timeout=30) as db:
        db.execute("ALTER TABLE elsewhere RENAME TO documents")
    until(lambda: any("can be read again" in line for line in live.running.log), 30, "the return")
    assert sum("cannot be read" in line for line in live.running.log) == 1
    assert live.release() == live.first
