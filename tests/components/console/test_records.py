"""Labels, queue, feedback and lineage over HTTP."""

from typing import Any

from fastapi.testclient import TestClient

from components.console.console import Console
from tests.components.runtime.history.conftest import answered, said


def test_labels_are_taken_once_and_leave_the_queue(client: TestClient, console: Console) -> None:
    answered(console.warehouse, 1)
    said(console.warehouse, 1, -1)
    drawn = client.post("/api/v1/labels/queue", params={"twin": "docs", "policy": "flagged"}).json()
    assert [one["request_id"] for one in drawn] == ["r1"]
    body = {"twin": "docs", "labels": [{"request_id": "r1", "value": "right", "event_time": "2026-02-01"}]}
    for added, unchanged in ((1, 0), (0, 1)):
        found = client.post("/api/v1/labels", json=body).json()
        assert (found["added"], found["unchanged"]) == (added, unchanged)
    assert client.get("/api/v1/labels/queue", params={"twin": "docs"}).json() == []


def test_a_wrong_label_names_its_place(client: TestClient) -> None:
    body: Any = {"twin": "docs", "labels": [{"request_id": "r1", "value": 1, "event_time": "soon"}]}
    answer = client.post("/api/v1/labels", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "data_error"
    assert answer.json()["error"]["message"].startswith("labels[0]: a label is wrong")
    body = {"twin": "credit", "labels": [{"request_id": "r1", "value": "worse", "event_time": "2026-01-01"}]}
    answer = client.post("/api/v1/labels", json=body)
    assert answer.status_code == 422
    assert "labels[0]: a label is wrong: value is 'worse'; allowed: bad, good" in answer.text


def test_feedback_is_exported(client: TestClient, console: Console) -> None:
    answered(console.warehouse, 1)
    said(console.warehouse, 1, -1, "no")
    answer = client.get("/api/v1/feedback", params={"twin": "docs", "form": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "answer 1" in answer.text.splitlines()[1]


def test_lineage_of_what_is_gone_says_so(client: TestClient, console: Console) -> None:
    answered(console.warehouse, 1)
    (tree,) = client.get("/api/v1/lineage/r1").json()
    assert tree["parents"][0] == {
        "kind": "release", "name": "rel", "facts": {"state": "gone"}, "parents": [],
    }  # fmt: skip
    assert client.get("/api/v1/lineage/unknown").status_code == 404
