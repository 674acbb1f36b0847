"""A real server follows the traffic of an LLM twin: releases share what they can and leave no memory."""

import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import load_file, save_file

from components.adapters.model_files import local_folder
from components.adapters.stores import Stores
from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, policy, promotion, standby
from components.runtime.history.lineage import trace
from components.shared.config import load
from components.shared.interactions import INTERACTIONS
from components.shared.releases import Part, Release
from tests.components.serving.conftest import Running, beside, start, stop
from tests.conftest import free_port, until

CHAT = "/openai/v1/chat/completions"
QUESTION = [{"role": "user", "content": "What does the gate compare?"}]
BODY = {"model": "docs", "messages": QUESTION, "max_tokens": 4, "temperature": 0}

#: How much a server may grow while releases come and go.
GROWTH = 1.1


@dataclass
class Live:
    """A server over twin docs in a project of its own."""

    folder: Path
    warehouse: Warehouse
    running: Running
    client: httpx.Client
    first: Release

    def ask(self) -> httpx.Response:
        return self.client.post(CHAT, json=BODY)

    def changed(self, name: str, **parts: Any) -> None:
        """Store a release that differs from the first one in some parts."""
        made = self.first.model_copy(update={"id": name, "model_version": name, **parts})
        champion.store(self.warehouse, made)

    def trained(self, name: str) -> None:
        """Store a release with an adapter of its own, which changes the answers."""
        folder = self.folder / name
        shutil.copytree(local_folder(self.first.model_uri), folder)
        weights = load_file(folder / "adapter_model.safetensors")
        torch.manual_seed(sum(name.encode()))
        save_file(
            {key: torch.randn_like(value) * 0.3 for key, value in weights.items()},
            folder / "adapter_model.safetensors",
        )
        self.changed(name, model_uri=folder.as_uri())

    def promote(self, name: str) -> float:
        """Seconds from a promotion until the release answers."""
        champion.promote(self.warehouse, self.stored(name))
        return self.until(name)

    def stored(self, name: str) -> Release:
        return champion.read_release(self.warehouse, "docs", name)

    def until(self, name: str) -> float:
        """Seconds from now until a release answers."""
        begun = time.monotonic()
        path = "/openai/v1/models/docs"
        until(lambda: self.client.get(path).json()["twinstack"]["release"] == name, 120, f"release {name}")
        took = time.monotonic() - begun
        assert self.ask().headers["x-twinstack-release"] == name
        return took

    def opened(self, name: str) -> bool:
        return any(f"release {name} is open after" in line for line in self.running.log)

    def opening(self, name: str) -> float:
        """Seconds that the server took to open a release, by its log."""
        found = re.search(rf"release {name} is open after ([\d.]+) s", "".join(self.running.log))
        assert found, self.running.log
        return float(found[1])

    def memory(self) -> int:
        """Resident kilobytes of the server."""
        text = Path(f"/proc/{self.running.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])


@pytest.fixture(scope="module")
def live(released: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    source, config, _, docs = released
    folder = tmp_path_factory.mktemp("live-llm")
    warehouse = beside(source, config, folder)
    for name in ("vectors", "foundation"):
        (folder / "state" / name).symlink_to(config.state_path / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINSTACK_SERVING__DRAIN_SECONDS", "2")
        running = start(folder, "--twin", "docs")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as client:
        yield Live(folder, warehouse, running, client, docs)
    assert stop(running) == 0, "".join(running.log)
    assert "Traceback" not in "".join(running.log)


class Load:
    """One caller after the other while the block runs and the server says that it is ready."""

    def __init__(self, live: Live) -> None:
        self.statuses: list[int] = []
        self._url = live.running.url
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=120, trust_env=False) as client:
            while not self._ends.is_set() and client.get("/v2/health/ready").status_code == 200:
                self.statuses.append(client.post(CHAT, json=BODY).status_code)


def test_another_prompt_answers_within_2_s_on_the_weights_that_are_open(live: Live) -> None:
    live.changed("reworded", prompt="Be brief.\n\n{context}\n")
    before = live.memory()
    assert live.promote("reworded") < 2
    assert live.opening("reworded") < 1
    assert sum("is loading" in line and "foundation" in line for line in live.running.log) == 1
    assert live.memory() < GROWTH * before


def test_another_adapter_is_opened_beside_the_old_one_without_dropping_a_request(live: Live) -> None:
    said = live.ask().json()["choices"][0]["message"]["content"]
    live.trained("retrained")
    with Load(live) as load_:
        took = live.promote("retrained")
        assert live.ask().json()["choices"][0]["message"]["content"] != said
        champion.rollback(live.warehouse, "docs")
        assert live.until("reworded") < 2, "what answered before is still open"
    assert set(load_.statuses) == {200}
    assert took < live.opening("retrained") + 2, "an open release answers within 2 s"


def test_an_adapter_that_was_never_asked_is_open_before_it_is_promoted(live: Live) -> None:
    live.trained("awaited")
    made, config = live.stored("awaited"), load(live.folder / "twinstack.yaml")
    with Load(live) as load_:
        assert standby.announce(config, live.warehouse, made)
        until(lambda: live.opened("awaited"), 120, "the standby")
        assert live.ask().headers["x-twinstack-release"] == "reworded"
        promotion.answer(config, live.warehouse, made, pytest.fail)  # nothing is left to wait for
        live.until("awaited")
        champion.rollback(live.warehouse, "docs")
        live.until("reworded")
    assert set(load_.statuses) == {200}
    assert sum("release awaited is open" in line for line in live.running.log) == 1


def test_lineage_of_passages_says_that_the_model_did_not_answer_and_why(live: Live) -> None:
    before = champion.require_traffic(live.warehouse, "docs").champion
    live.changed("gone", predictor=f"http://127.0.0.1:{free_port()}/v1#m")  # nobody listens there
    live.promote("gone")
    state = 'twinstack_breaker_state{release="gone",twin="docs"} 2.0'
    until(lambda: live.ask().is_success and state in live.client.get("/metrics").text, 60, "an open circuit")
    answer = live.ask()
    assert answer.headers["x-twinstack-answered-by"] == "retrieval"
    request, stores = answer.headers["x-request-id"], Stores(load(live.folder / "twinstack.yaml"))
    until(lambda: live.warehouse.count(INTERACTIONS, twin="docs", source=request), 30, "shipping")
    (tree,) = trace(stores, ["docs"], request)
    assert (tree.facts["role"], tree.facts["answered"]) == ("fallback", "retrieval")
    release, failed = tree.parents[:2]
    assert release.name == "gone"
    assert "chunk" in {one.kind for parent in release.parents for one in parent.parents}, "what it quotes"
    assert (failed.kind, failed.name, failed.facts) == (
        "no answer of",
        "gone",
        {"why": "its circuit is open"},
    )
    champion.rollback(live.warehouse, "docs")
    live.until(before)


def test_releases_that_come_and_go_leave_no_memory_behind(live: Live) -> None:
    for name in ("one", "two", "three", "four"):
        live.trained(name)
    live.promote("one")
    live.promote("two")
    until(lambda: "release retrained is closed" in "".join(live.running.log), 30, "the end of the first")
    before = live.memory()
    live.promote("three")
    live.promote("four")
    until(lambda: "release two is closed" in "".join(live.running.log), 30, "the end of the third")
    assert live.memory() < GROWTH * before


def test_the_answers_of_a_shadow_are_stored_with_those_they_belong_to(live: Live) -> None:
    policy.changed(live.warehouse, "docs", {"shadow": Part(release="reworded", share=1.0)})
    name = "twinstack_shadow_total{"

    def copied() -> bool:
        live.ask()
        return name in live.client.get("/metrics").text

    until(copied, 60, "a copy")
    asked = live.ask()
    request_id = asked.headers["x-request-id"]

    def stored() -> list[dict[str, Any]]:
        return [one["body"] for one in live.warehouse.scan(INTERACTIONS, twin="docs", source=request_id)]

    until(lambda: len(stored()) == 2, 60, "the pair")
    mine, copy = sorted(stored(), key=lambda one: str(one["role"]))
    assert (mine["role"], mine["release"]) == ("champion", asked.headers["x-twinstack-release"])
    assert (copy["role"], copy["release"], copy["paired"]) == ("shadow", "reworded", mine["id"])
    assert mine["output"] == asked.json()["choices"][0]["message"]["content"]
    assert copy["output"]
    assert copy["inputs"] == mine["inputs"]
    policy.changed(live.warehouse, "docs", policy.CLEAR)


def test_a_server_that_is_asked_to_end_finishes_what_it_has_accepted(live: Live) -> None:
    with Load(live) as load_:
        until(lambda: bool(load_.statuses), 60, "the first answer")
        body = {**BODY, "stream": True, "max_tokens": 16}
        with live.client.stream("POST", CHAT, json=body) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if '"content"' in line)
            live.running.process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert set(load_.statuses) == {200}
    assert live.running.process.wait(60) == 0
