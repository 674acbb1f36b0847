"""Before the first release: alive, not ready, and there as soon as it comes."""

from collections.abc import Iterator

import httpx
import pytest

from components.serving.rest import listen
from components.serving.waiting import alive, awaited
from components.shared.errors import MissingError, NotFoundError


def test_a_front_is_alive_and_not_ready_before_its_server_starts() -> None:
    with listen("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with alive(bound):
            assert httpx.get(f"{url}/v2/health/live").status_code == 200
            assert httpx.get(f"{url}/v2/health/ready").status_code == 503
            asked = httpx.post(f"{url}/openai/v1/chat/completions", json={}, headers={"x-request-id": "a"})
        assert asked.status_code == 503
        assert asked.json()["error"]["request_id"] == "a"
        assert "end_to_end" in asked.json()["error"]["message"]
        bound.settimeout(0)  # the socket listens on for the real server
        with pytest.raises(BlockingIOError):
            bound.accept()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_whatever_is_asked_before_a_release_is_told_to_come_back(method: str) -> None:
    with listen("127.0.0.1", 0) as bound, alive(bound):
        asked = httpx.request(method, f"http://127.0.0.1:{bound.getsockname()[1]}/v1/models/credit")
    assert asked.status_code == 503
    assert asked.headers["content-type"] == "application/json"


def test_a_release_is_found_as_soon_as_there_is_one() -> None:
    looks: Iterator[MissingError | str] = iter([MissingError("none"), MissingError("none"), "release"])

    def look() -> str:
        found = next(looks)
        if isinstance(found, MissingError):
            raise found
        return found

    assert awaited(look, 0.001) == "release"


def test_another_error_is_not_waited_out() -> None:
    def look() -> str:
        raise NotFoundError("no twin 'x'", param="twin")

    with pytest.raises(NotFoundError, match="no twin 'x'"):
        awaited(look, 60)
