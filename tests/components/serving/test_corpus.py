"""Hundreds of hostile bodies, and requests made from the served OpenAPI: errors of one shape, no crash."""

from collections import Counter
from typing import Any

from tests.components.serving.hostile import corpus

#: Statuses that are not the caller's fault and still no crash; `docs/reference/http.md` has them all.
DECLARED = (501, 503, 504)


def shaped(answer: Any) -> None:
    """An error has the documented shape, and nothing of the inside."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    # schemathesis gives a list of values.
    assert error["request_id"] in answer.headers["x-request-id"]
    assert not any(word in answer.text for word in ("Traceback", 'File "', "site-packages"))


def test_the_corpus_is_large() -> None:
    assert len(corpus()) >= 200


def test_no_body_of_the_corpus_breaks_anything(served: Any) -> None:
    statuses: Counter[int] = Counter()
    for path, body in corpus():
        answer = served.post(path, body)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code in DECLARED, (path, body[:300], answer.text)
        if answer.status_code >= 400:
            shaped(answer)
    assert statuses[400] > 200
    assert served.predict({"applicant_id": "A0001"})


def test_requests_made_from_the_served_openapi_break_nothing(served: Any) -> None:
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from schemathesis.checks import not_a_server_error

    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    seen: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=6,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            answer = case.call(base_url=served.url, timeout=60)
            seen[operation.label] += 1  # noqa: B023 - called within this round
            if answer.status_code not in DECLARED:
                case.validate_response(answer, checks=[not_a_server_error])
            if answer.status_code >= 400 and case.method != "HEAD":
                shaped(answer)

        given(case=operation.as_strategy())(check)()
    assert len(seen) >= 10
    assert served.predict({"applicant_id": "A0001"})
