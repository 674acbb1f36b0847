"""Bodies and paths that nobody should send: each gets an error of the one shape, and the server lives on."""

from typing import Any

import pytest

V1, V2, CHAT = "/v1/models/credit:predict", "/v2/models/credit/infer", "/openai/v1/chat/completions"

BODIES: tuple[Any, ...] = (
    b"",
    b"nonsense",
    b"\xff\xfe\x00",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'{"instances": [NaN]}',
    [],
    {},
    None,
    1,
    "x",
    {"foo": 1},
    {"instances": "x"},
    {"instances": []},
    {"instances": {}},
    {"instances": [1]},
    {"instances": [None]},
    {"instances": [[]]},
    {"instances": [{}]},
    {"instances": [{"applicant_id": ""}]},
    {"instances": [{"applicant_id": 1}]},
    {"instances": [{"applicant_id": "A0001", "purpose": "x"}]},
    {"instances": [{"a" * 10_000: 1}]},
    {"inputs": "x"},
    {"inputs": []},
    {"inputs": [{}]},
    {"inputs": [{"name": "applicant_id", "shape": [2], "datatype": "BYTES", "data": ["A0001"]}]},
    {"inputs": [{"name": "applicant_id", "shape": [], "datatype": "BYTES", "data": ["A0001"]}]},
    {"inputs": [{"name": "applicant_id", "shape": [1], "datatype": "EVIL", "data": ["A0001"]}]},
    {"inputs": [{"name": "applicant_id", "shape": [1], "datatype": "BYTES", "data": [{"a": 1}]}]},
    {"inputs": [{"name": "applicant_id", "shape": [-1], "datatype": "BYTES", "data": []}]},
    {"model": "docs"},
    {"model": "docs", "messages": [{"role": "user"}]},
    {"model": "docs", "messages": [{"role": "user", "content": None}]},
    {"model": "docs", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    {"model": 1, "messages": [{"role": "user", "content": "x"}]},
)


def refused(answer: Any, *codes: int) -> dict[str, Any]:
    """The error of an answer, which has the documented shape."""
    assert answer.status_code in codes, answer.text[:300]
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert len(answer.text) < 3_000
    return error


@pytest.mark.parametrize("path", [V1, V2, CHAT])
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_body_is_refused(served: Any, path: str, number: int) -> None:
    refused(served.post(path, BODIES[number]), 400)


@pytest.mark.parametrize("size", ["abc", "-1", "5", "0", "99999"])
def test_binary_tensors_are_refused(served: Any, size: str) -> None:
    headers = {"inference-header-content-length": size, "content-type": "application/octet-stream"}
    refused(served.client.post(V2, content=b'{"inputs": [{"name": 1}]}xx', headers=headers), 400)


@pytest.mark.parametrize("path", [V1, V2, CHAT])
@pytest.mark.parametrize("chunked", [False, True])
def test_large_body_is_refused(served: Any, path: str, *, chunked: bool) -> None:
    body = b"x" * (served.config.serving.max_body_bytes + 1)
    content = iter([body[:500_000], body[500_000:]]) if chunked else body
    error = refused(served.client.post(path, content=content), 413)
    assert str(len(body)) in error["message"]
    assert "max_body_bytes" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nope", 404),
        ("GET", "/nope%0aFAKE%20LINE", 404),
        ("GET", "/openai/v1/models/nope", 404),
        ("GET", "/v1/models/nope", 404),
        ("GET", V2, 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/v1/models/nope:predict", 404),
        ("POST", "/v1/models/docs:predict", 400),
        ("POST", "/v1/models/credit:explain", 400),
        ("POST", "/v2/repository/models/credit/unload", 404),
        ("POST", "/v2/repository/models/credit/load", 404),
    ],
)
def test_path_is_refused(served: Any, method: str, path: str, code: int) -> None:
    refused(served.client.request(method, path, json={} if method == "POST" else None), code)
    assert served.predict({"applicant_id": "A0001"})


def test_forged_request_id_is_replaced(served: Any) -> None:
    answer = served.client.get("/v1/models", headers={"x-request-id": "a b\tc" * 50})
    assert len(answer.headers["x-request-id"]) == 32


def test_log_lines_cannot_be_forged(served: Any) -> None:
    served.client.get("/nope%0aFAKE%20LINE")
    assert not any(line.startswith("FAKE") for line in served.log)
