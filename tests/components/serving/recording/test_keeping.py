"""An answer that cannot be kept is not given: no half of it, and no end of a stream as if all were well."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from components.runtime.keys import Keys
from components.serving import problems
from components.serving.exchange import current
from components.serving.guard import Guard
from components.serving.limits.access import Access
from components.serving.recording.recorder import Recorder
from components.serving.recording.spool import Spool
from components.shared.config import load
from components.shared.metrics.instruments import Instruments
from tests.components.serving.recording.conftest import settings

ROOT = Path(__file__).resolve().parents[4]


@contextmanager
def full_disk(spool: Spool) -> Iterator[None]:
    """No file of this process may grow above what the spool holds now, plus half a record."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    held = sum(one.size for one in spool.segments())
    resource.setrlimit(resource.RLIMIT_FSIZE, (held + 100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", settings())


@pytest.fixture
def client(spool: Spool, instruments: Instruments) -> TestClient:
    """Two routes that answer for a twin, behind the real guard and recorder."""
    app = FastAPI()
    problems.register(app)

    def answered() -> None:
        current().answered_by("docs", "one")
        current().inputs = "question"

    @app.post("/openai/v1/chat/completions")
    async def whole() -> Response:
        answered()
        return Response(b"whole answer")

    @app.post("/openai/v1/completions")
    async def stream() -> Response:
        answered()

        async def pieces() -> Any:
            yield b"half an"
            yield b" answer"

        return StreamingResponse(pieces())

    config = load(ROOT / "twinstack.yaml")
    recorder = Recorder(spool, settings(), {"docs": "llm"}, "c", instruments)
    access = Access(Keys(config), instruments, spool)
    guarded: dict[str, Any] = {"instruments": instruments, "access": access, "observers": (recorder,)}
    app.add_middleware(Guard, **guarded, max_body_bytes=1000, deadline=5.0, rooms={}, ending=lambda: False)
    return TestClient(app, raise_server_exceptions=False)


def test_on_a_full_disk_a_whole_answer_is_a_clear_error_and_the_next_is_refused_until_there_is_room(
    client: TestClient, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(spool, "_clock", lambda: now)
    assert client.post("/openai/v1/chat/completions").text == "whole answer"
    with full_disk(spool):
        for refused in ("cannot be kept", "cannot keep what it answers"):
            answer = client.post("/openai/v1/chat/completions")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["error"]["type"] == "storage_error"
            assert refused in answer.json()["error"]["message"]
            assert answer.headers["x-request-id"] == answer.json()["error"]["request_id"]
    now = 1.0
    assert client.post("/openai/v1/chat/completions").text == "whole answer"
    assert spool.appended == 2


def test_on_a_full_disk_a_stream_does_not_end_as_if_all_were_well(client: TestClient, spool: Spool) -> None:
    with full_disk(spool), pytest.raises(Exception, match="cannot be kept"):
        TestClient(client.app).post("/openai/v1/completions")
    assert spool.appended == 0
