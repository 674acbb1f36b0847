"""Hostile bodies, and requests made from the served OpenAPI: what is documented comes back, and no crash."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from components.adapters.warehouse.contract import Warehouse
from components.console.app import made
from components.console.console import Console
from components.runtime import approvals
from tests.components.console.conftest import told
from tests.components.runtime.history.conftest import answered
from tests.components.serving.hostile import Good, corpus

LABEL = {"request_id": "r1", "value": "right", "event_time": "2026-02-01", "instance": 0}


def good(warehouse: Warehouse) -> tuple[Good, ...]:
    """A good body of every route that takes one."""
    asked = approvals.ask(warehouse, "credit", "retraining", "v1", "drift").id
    return (
        ("/api/v1/alerts", told()),
        ("/api/v1/labels", {"twin": "docs", "labels": [LABEL]}),
        ("/api/v1/runs", {"pipeline": "monitor", "twin": "credit"}),
        (f"/api/v1/approvals/{asked}/reject", {"note": "no"}),
        (f"/api/v1/approvals/{asked}/approve", {"note": "yes"}),
    )


def shaped(answer: Any) -> None:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    assert error["request_id"] in answer.headers["x-request-id"]
    assert not any(word in answer.text for word in ("Traceback", 'File "', "site-packages"))
    assert len(answer.text) < 3_000


def test_no_hostile_body_breaks_anything(client: TestClient, console: Console) -> None:
    statuses: Counter[int] = Counter()
    for path, body in corpus(good(console.warehouse)):
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (path, body[:300], answer.text)
        if answer.status_code >= 400:
            shaped(answer)
    assert statuses.total() > 300 and statuses[400] > 200, statuses
    assert client.get("/healthz").status_code == 200


@pytest.fixture
def filled(console: Console) -> Iterator[Console]:
    """With something on every list."""
    for number in range(3):
        answered(console.warehouse, number)
    approvals.ask(console.warehouse, "credit", "retraining", "v1", "drift")
    yield console


def test_requests_made_from_the_served_openapi_are_answered_as_it_says(filled: Console) -> None:
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_asgi("/openapi.json", made(filled))
    seen: Counter[str] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=8, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def check(case: Any) -> None:
            if "twin" in case.query:
                case.query["twin"] = "docs"
            answer = case.call()
            seen[operation.label] += 1  # noqa: B023 - called within this round
            case.validate_response(answer, checks=checks)
            if answer.status_code >= 400:
                shaped(answer)

        given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(check)()
        # A route without parameters cannot be asked wrongly.
        with contextlib.suppress(Unsatisfiable):
            given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))(check)()
    assert len(seen) >= 17
