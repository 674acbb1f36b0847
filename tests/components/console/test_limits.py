"""How much a key may ask of the operations API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from components.console.app import made
from components.console.console import Console
from components.shared.config import load
from components.shared.identity import hash_of, new_key
from tests.components.console.conftest import RecordedRunner

RUNS = "/api/v1/runs"


def served(
    project: Path, runner: RecordedRunner, console: dict[str, int], **limits: int
) -> tuple[TestClient, dict[str, str]]:
    """A console with one key of these limits, and the key's header."""
    key = new_key()
    entry = {"id": "ops", "hash": hash_of(key), "roles": ["viewer"], **limits}
    (project.parent / "keys.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    values = yaml.safe_load(project.read_text(encoding="utf-8"))
    more: dict[str, Any] = {"serving": {"keys": {"file": "keys.yaml"}}, "console": console}
    project.write_text(yaml.safe_dump({**values, **more}), encoding="utf-8")
    client = TestClient(made(Console(load(project), project, runner)), raise_server_exceptions=False)
    return client, {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("console", "limits"), [({"requests_per_minute": 12}, {}), ({}, {"requests_per_minute": 12})]
)
def test_beyond_its_rate_a_key_is_told_when_to_come_back(
    project: Path, runner: RecordedRunner, console: dict[str, int], limits: dict[str, int]
) -> None:
    client, headers = served(project, runner, console, **limits)
    assert [client.get(RUNS, headers=headers).status_code for _ in range(2)] == [200, 200]
    refused = client.get(RUNS, headers=headers)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 5
    error = refused.json()["error"]
    assert (error["type"], error["param"]) == ("rate_limit_error", "authorization")
    assert error["request_id"] == refused.headers["x-request-id"]
    assert client.get("/healthz").status_code == 200
    assert 'twinstack_console_limited_total{limit="rate"} 1.0' in client.get("/metrics").text


def test_an_entry_of_a_key_stands_above_the_configuration(project: Path, runner: RecordedRunner) -> None:
    client, headers = served(project, runner, {"requests_per_minute": 6}, requests_per_minute=60)
    assert {client.get(RUNS, headers=headers).status_code for _ in range(10)} == {200}


def test_a_request_is_open_until_its_answer_has_gone(project: Path, runner: RecordedRunner) -> None:
    entered, free = Event(), Event()

    class Slow(RecordedRunner):
        def listed(self, *_: object) -> Iterator[Any]:
            entered.set()
            assert free.wait(30)
            return iter(())

    client, headers = served(project, Slow(), {}, concurrency=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, RUNS, headers=headers)
        assert entered.wait(30)
        second = client.get(RUNS, headers=headers)
        free.set()
        assert first.result().status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (429, "1")
    assert "has 1 requests open" in second.json()["error"]["message"]
    assert client.get(RUNS, headers=headers).status_code == 200


def test_without_keys_nobody_is_limited(client: TestClient) -> None:
    assert {client.get(RUNS).status_code for _ in range(120)} == {200}


def test_every_route_documents_the_limit(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for route in methods.values():
            if path.startswith("/api/"):
                assert "retry-after" in route["responses"]["429"]["headers"], path
