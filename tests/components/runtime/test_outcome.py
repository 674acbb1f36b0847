"""The report at the end of a run, posted to a real receiver on this machine."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from components.runtime import outcome
from components.shared.config import dump, load, parse
from tests.observability.processes import needs, pushgateway, seen

ROOT = Path(__file__).resolve().parents[3]


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    received: list[dict[str, str]]
    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append(json.loads(body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    handler = type("Fresh", (Receiver,), {"received": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def config() -> str:
    found = load(ROOT / "twinstack.yaml")
    cluster = found.cluster.model_copy(update={"report_variable": "RUN_REPORTS", "namespace": "team"})
    return dump(found.model_copy(update={"cluster": cluster}))


def handler(server: HTTPServer) -> type[Receiver]:
    found = server.RequestHandlerClass
    assert isinstance(found, type) and issubclass(found, Receiver)
    return found


def test_the_end_is_posted_where_the_variable_says(
    receiver: HTTPServer, config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUN_REPORTS", f"http://127.0.0.1:{receiver.server_port}/hook")
    outcome.report(config, "docs", "train", "FAILED", "run-1", error="OOMKilled", ui="https://kfp")
    sent = {"pipeline": "train", "twin": "docs", "state": "FAILED", "run": "run-1", "namespace": "team"}
    sent |= {"error": "OOMKilled", "link": "https://kfp/#/runs/details/run-1"}
    assert handler(receiver).received == [sent]
    assert json.loads(capsys.readouterr().out.removeprefix("::twin::")) == {"event": "run", **sent}


def test_a_receiver_that_refuses_fails_nothing_and_its_address_is_not_written(
    receiver: HTTPServer, config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(receiver).status = 403
    monkeypatch.setenv("RUN_REPORTS", f"http://127.0.0.1:{receiver.server_port}/private-path")
    outcome.report(config, "docs", "train", "SUCCEEDED", "run-1")
    out = capsys.readouterr().out
    assert "HTTPStatusError" in out
    assert "private-path" not in out


def test_a_receiver_that_is_not_there_fails_nothing(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        port = closed_at_once.getsockname()[1]
    monkeypatch.setenv("RUN_REPORTS", f"http://127.0.0.1:{port}/")
    outcome.report(config, "docs", "train", "SUCCEEDED", "run-1")
    assert "ConnectError" in capsys.readouterr().out


def test_without_an_address_the_end_is_a_line_and_nothing_else(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUN_REPORTS", raising=False)
    outcome.report(config, "docs", "train", "SUCCEEDED", "run-1")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_words_of_a_server_with_ml_metadata_mean_the_same(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome.report(config, "docs", "train", "COMPLETE", "run-1")
    assert '"state": "SUCCEEDED"' in capsys.readouterr().out


@needs("prometheus-pushgateway")
def test_a_run_whose_stage_was_killed_is_a_failed_step_until_one_succeeds(
    config: str, tmp_path: Path
) -> None:
    step, name = ("docs", "pipeline-train"), "twinstack_step_last_{}_timestamp_seconds"
    with pushgateway(tmp_path) as gateway:
        found = parse(config)
        cluster = found.cluster.model_copy(update={"pushgateway": gateway, "namespace": "twinstack"})
        pushes = dump(found.model_copy(update={"cluster": cluster}))
        outcome.report(pushes, "docs", "train", "CANCELED", "run-1")
        assert not seen(gateway)
        outcome.report(pushes, "docs", "train", "FAILED", "run-2")
        failed = seen(gateway)
        assert set(failed) == {name.format("failure")}
        outcome.report(pushes, "docs", "train", "SUCCEEDED", "run-3")
        assert seen(gateway)[name.format("success")][step] > failed[name.format("failure")][step]
