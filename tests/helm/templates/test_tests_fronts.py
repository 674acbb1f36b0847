"""`helm test` of the fronts: the pod's own script, run against a server."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from tests.helm.rendering import Object, ci, render
from tests.helm.served import serves

OBJECTS = render(ci("production-gpu"), "tests/fronts.yaml")


class Handler(BaseHTTPRequestHandler):
    """Answers the routes of a front, and no others."""

    asked: ClassVar[list[tuple[str, str, Any]]] = []
    status = 200

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.path, self.headers.get("authorization", ""), body))
        self.send_response(self.status if serves(self.command, self.path) else 404)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - named by http.server

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked, Handler.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def call(pod: Object, url: str) -> subprocess.CompletedProcess[str]:
    (container,) = pod["spec"]["containers"]
    script, address, calls = container["args"]
    assert address.startswith("http://twinstack-")
    command, env = [sys.executable, "-c", script, url, calls], {"API_KEY": "a-key"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def run(pod: Object, url: str) -> int:
    return call(pod, url).returncode


def test_it_asks_an_llm_twin_with_the_key(url: str) -> None:
    assert run(OBJECTS[0], url) == 0
    paths = [path for path, _, _ in Handler.asked]
    assert paths == ["/v2/health/ready", "/v2/models/docs/ready", "/openai/v1/chat/completions"]
    assert {authorization for _, authorization, _ in Handler.asked} == {"Bearer a-key"}
    assert Handler.asked[-1][2]["model"] == "docs"


def test_it_predicts_with_the_instances_of_the_values(url: str) -> None:
    assert run(OBJECTS[2], url) == 0
    assert Handler.asked[-1][::2] == ("/v1/models/credit:predict", {"instances": [{"applicant_id": "A0001"}]})


def test_it_fails_where_the_front_fails(url: str) -> None:
    Handler.status = 503
    assert run(OBJECTS[0], url) != 0


def test_it_says_what_the_front_answered_or_that_nobody_did(url: str) -> None:
    Handler.status = 503
    refused = call(OBJECTS[0], url)
    assert refused.stderr == f"{url}/v2/health/ready: HTTP Error 503: Service Unavailable: {{}}\n"
    alone = call(OBJECTS[0], "http://127.0.0.1:1")
    assert alone.returncode == 1 and "Traceback" not in alone.stderr
    assert "http://127.0.0.1:1/v2/health/ready: " in alone.stderr


def test_it_fails_where_the_front_has_no_such_route(url: str) -> None:
    other = json.loads(json.dumps(OBJECTS[0]).replace("/openai/v1/chat", "/openai/v1/chats"))
    assert run(other, url) != 0
    assert Handler.asked[-1][0] == "/openai/v1/chats/completions"


def test_they_can_be_left_out() -> None:
    assert render(ci("everything-off"), "tests/fronts.yaml") == []
