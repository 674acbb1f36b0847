"""Predictors that hang, behind the real server: 504 in time, or the fallback; and the circuit opens."""

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import httpx
import pytest

from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, policy
from components.shared.releases import BUILT_IN, NOTHING
from tests.components.serving.conftest import beside, start, stop
from tests.components.serving.grpc_calls import over_grpc, tensors
from tests.conftest import free_port, until

#: Seconds until a release is given up, and until a whole answer is.
GIVE_UP, DEADLINE = 1.0, 3.0

#: What a loaded machine may add.
SLACK = 4.0

V1 = "/v1/models/credit:predict"
ROW = {"instances": [{"applicant_id": "A0001"}]}
CHAT = "/openai/v1/chat/completions"

#: A question to which the model says one word and then nothing.
STALLS = "Say one word."

#: A question at which the model fails at once.
FAILS = "Fail now."


class Hanging(BaseHTTPRequestHandler):
    """Takes every request and answers none until the test ends; or says one word of an answer, or fails."""

    protocol_version = "HTTP/1.1"
    ended = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if STALLS.encode() in body:
            word = {"choices": [{"index": 0, "delta": {"content": "One"}, "finish_reason": None}]}
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps(word)}\n\n".encode())
        if FAILS.encode() in body:
            self.send_error(500)
        else:
            self.ended.wait(120)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@dataclass
class Late:
    """A server whose releases answer by a predictor that hangs."""

    client: httpx.Client
    warehouse: Warehouse
    grpc: str

    def fallback(self, what: str) -> None:
        for twin in ("credit", "docs"):
            policy.changed(self.warehouse, twin, {"fallback": what})

    def chat(self, question: str = "What does the gate compare?", **more: Any) -> httpx.Response:
        messages = [{"role": "user", "content": question}]
        return self.client.post(CHAT, json={"model": "docs", "messages": messages, **more})


@pytest.fixture(scope="module")
def late(released: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Late]:
    source, config, credit, docs = released
    folder = tmp_path_factory.mktemp("late")
    warehouse = beside(source, config, folder)
    for name in ("vectors", "features"):
        shutil.copytree(config.state_path / name, folder / "state" / name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    for one, uri in ((credit, f"{there}#m"), (docs, f"{there}/v1#m")):
        champion.promote(warehouse, one.model_copy(update={"id": f"late-{one.twin}", "predictor": uri}))
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("DEADLINE_SECONDS", DEADLINE), ("BREAKER__GIVE_UP_SECONDS", GIVE_UP)):
            patch.setenv(f"TWINSTACK_SERVING__{name}", str(value))
        patch.setenv("TWINSTACK_SERVING__GRPC_PORT", str(port))
        patch.setenv("TWINSTACK_SERVING__BREAKER__OPEN_SECONDS", "600")
        patch.setenv("TWINSTACK_SERVING__BREAKER__CALLS", "10")
        running = start(folder)
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
        made = Late(client, warehouse, f"127.0.0.1:{port}")
        made.fallback(NOTHING)
        # The document is read twice a second; without a fallback the circuit's state shows in the status.
        until(lambda: client.post(V1, json=ROW).status_code == 504, 30, "the end of the fallback")
        yield made
    Hanging.ended.set()
    server.shutdown()
    assert stop(running) == 0, "".join(running.log)
    assert "Traceback" not in "".join(running.log)


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 504, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["type"] in ("predictor_late_error", "deadline_error")
    assert error["request_id"] == answer.headers["x-request-id"]


def late_chats(late: Late) -> float:
    """Chats that ended with 504."""
    labels = 'code="504",release="late-docs",role="champion",route="chat",twin="docs"'
    found = re.search(rf"twinstack_request_total{{{labels}}} (\S+)", late.client.get("/metrics").text)
    return float(found[1]) if found else 0.0


def test_every_protocol_answers_504_while_a_predictor_hangs(late: Late) -> None:
    for ask in (partial(late.client.post, V1, json=ROW), late.chat, partial(late.chat, stream=True)):
        begun = time.monotonic()
        refused(ask())
        assert GIVE_UP <= time.monotonic() - begun < GIVE_UP + SLACK
    with pytest.raises(grpc.RpcError) as found:
        over_grpc(late.grpc, tensors({"applicant_id": "A0001"}))
    assert found.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_an_answer_that_stalls_after_its_first_word_ends_at_the_deadline(late: Late) -> None:
    before = late_chats(late)
    begun = time.monotonic()
    refused(late.chat(STALLS))
    assert DEADLINE - 1 < time.monotonic() - begun < DEADLINE + SLACK
    begun = time.monotonic()
    answer = late.chat(STALLS, stream=True)
    assert answer.status_code == 200, "the status was out already"
    *_, last = [line for line in answer.text.splitlines() if line]
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "deadline_error"
    assert DEADLINE - 1 < time.monotonic() - begun < DEADLINE + SLACK
    metrics = late.client.get("/metrics").text
    assert 'twinstack_limited_total{limit="deadline",twin="docs"} 2.0' in metrics
    assert late_chats(late) == before + 2, "a stream that broke off is no success"


def test_a_predictor_that_fails_at_once_is_asked_once_more(late: Late) -> None:
    assert "twinstack_retry_total{" not in late.client.get("/metrics").text, "who is late is not asked again"
    answer = late.chat(FAILS)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "predictor_error")
    assert 'twinstack_retry_total{release="late-docs",twin="docs"} 1.0' in late.client.get("/metrics").text


def test_the_fallback_answers_and_soon_without_asking_the_predictor(late: Late) -> None:
    late.fallback(BUILT_IN)
    until(lambda: late.client.post(V1, json=ROW).status_code == 200, 30, "the fallback")
    for name, ask in (("late-credit", partial(late.client.post, V1, json=ROW)), ("late-docs", late.chat)):
        open_ = f'twinstack_breaker_state{{release="{name}",twin="{name.removeprefix("late-")}"}} 2.0'

        def opens(ask: Any = ask, open_: str = open_) -> bool:
            assert ask().headers["x-twinstack-role"] == "fallback"
            return open_ in late.client.get("/metrics").text

        until(opens, 60, f"the open circuit of {name}")
        begun = time.monotonic()
        assert ask().status_code == 200
        assert time.monotonic() - begun < GIVE_UP, "nobody waits for a predictor that is left alone"
