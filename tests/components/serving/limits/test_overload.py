"""A flooded twin refuses before it reads: what is turned away costs those inside as little as it can."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.components.serving.conftest import start, stop
from tests.conftest import until

V1, V2 = "/v1/models/credit:predict", "/v2/models/credit/infer"
BATCH = {"instances": [{"applicant_id": f"A{number % 1000 + 1:04d}"} for number in range(1000)]}


@pytest.fixture
def narrow(released: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A server whose classic twin works on one request and lets none wait."""
    queue = {"running": 1, "waiting": 0}
    monkeypatch.setenv("TWINSTACK_SERVING__LIMITS__CLASSIC", json.dumps(queue))
    running = start(released[0], "--twin", "credit")
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
        yield client
    assert stop(running) == 0, "".join(running.log)


@pytest.mark.parametrize("path", [V1, V2])
def test_a_full_queue_answers_before_the_body_is_understood(narrow: httpx.Client, path: str) -> None:
    """Of a body that is no JSON nothing is said while the queue is full."""

    def junk() -> httpx.Response:
        return narrow.post(path, content=b"{", headers={"content-type": "application/json"})

    assert junk().status_code == 400  # there is room
    enough, refused = threading.Event(), []

    def keep_busy() -> None:
        with httpx.Client(base_url=narrow.base_url, timeout=60, trust_env=False) as other:
            while not enough.is_set():
                other.post(V1, json=BATCH)

    def full() -> bool:
        answer = junk()
        refused.append(answer)
        return answer.status_code == 503

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        until(full, 60, "a full queue")
    finally:
        enough.set()
        busy.join()
    error = refused[-1].json()["error"]
    assert error["message"].startswith("there is no room: 1 running, 0 waiting")
    assert refused[-1].headers["retry-after"] == "1"
    metrics = narrow.get("/metrics").text
    assert 'twinstack_limited_total{limit="queue",twin="credit"}' in metrics
    assert junk().status_code == 400  # and there is room again


@pytest.mark.parametrize("path", ["/v1/models/nope:predict", "/v2/models/nope/infer"])
def test_an_unknown_twin_has_no_queue(narrow: httpx.Client, path: str) -> None:
    column = {"name": "applicant_id", "shape": [1], "datatype": "BYTES", "data": ["A0001"]}
    assert narrow.post(path, json={"instances": [{}], "inputs": [column]}).status_code == 404
