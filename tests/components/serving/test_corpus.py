"""Hundreds of hostile bodies, and requests made from the served OpenAPI: errors of one shape, no crash."""

import json
from collections import Counter
from typing import Any

from tests.components.serving.hostile import GOOD, corpus

#: Statuses that are not the caller's fault and still no crash; `docs/reference/http.md` has them all.
DECLARED = (501, 503, 504)


def shaped(answer: Any) -> None:
    """An error has the documented shape, and nothing of the inside."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    # schemathesis gives a list of values.
    assert error["request_id"] in answer.headers["x-request-id"]
    assert not any(word in answer.text for word in ("Traceback", 'File "', "site-packages"))


def ended(answer: Any) -> None:
    """A stream ends with the end, or with an error of the documented shape."""
    *_, last, empty = answer.text.split("\n\n")
    assert empty == ""
    if last != "data: [DONE]":
        assert set(json.loads(last.removeprefix("data: "))["error"]) == {
            "message",
            "type",
            "param",
            "request_id",
        }


def test_the_corpus_is_large_and_holds_streams() -> None:
    found = corpus()
    assert len(found) >= 500
    assert sum(b'"stream": true' in body for _, body in found) >= 100
    assert {path for path, _ in found} == {path for path, _ in GOOD}


def test_no_body_of_the_corpus_breaks_anything(served: Any) -> None:
    statuses: Counter[int] = Counter()
    streams = 0
    for path, body in corpus():
        answer = served.post(path, body)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code in DECLARED, (path, body[:300], answer.text)
        if answer.status_code >= 400:
            shaped(answer)
        if answer.headers["content-type"].startswith("text/event-stream"):
            streams += 1
            ended(answer)
    assert statuses[400] > 200 and streams > 10, (statuses, streams)
    assert served.predict({"applicant_id": "A0001"})


def steer(case: Any) -> None:
    """Let a made request name a twin that is served, so that it comes further than that; one token a try."""
    body = case.body
    for name in {"model_name", "name"} & set(case.path_parameters or {}):
        case.path_parameters[name] = "docs" if "openai" in case.path else "credit"
    if isinstance(body, dict) and "model" in body:
        body["model"] = "docs"
        for name in {"max_tokens", "max_completion_tokens"} & set(body):
            body[name] = min(body[name], 1) if isinstance(body[name], int) else body[name]


def test_requests_made_from_the_served_openapi_break_nothing(served: Any) -> None:
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok

    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    seen: Counter[str] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=8,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            if seen[operation.label] % 2:  # noqa: B023 - called within this round
                steer(case)
            answer = case.call(base_url=served.url, timeout=60)
            seen[operation.label] += 1  # noqa: B023 - called within this round
            if answer.status_code not in DECLARED:
                case.validate_response(answer, checks=[not_a_server_error])
            if answer.status_code >= 400 and case.method != "HEAD":
                shaped(answer)

        given(case=operation.as_strategy())(check)()
    assert len(seen) >= 20 and seen.total() >= 100, seen
    assert served.predict({"applicant_id": "A0001"})
