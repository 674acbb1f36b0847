"""The routes: who may, what comes back, and the shape of every error."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from components.console.console import Console
from components.runtime import approvals
from tests.components.console.conftest import RecordedRunner, told
from tests.components.runtime.history.conftest import answered


def test_a_drift_alert_starts_monitor_once_however_often_it_is_told(
    client: TestClient, runner: RecordedRunner
) -> None:
    first = client.post("/api/v1/alerts", json=told()).json()
    again = client.post("/api/v1/alerts", json=told()).json()
    assert first == again
    assert first[0]["action"] == "monitor started"
    assert [(one.pipeline, one.twin, one.by) for one in runner.runs] == [("monitor", "credit", "alert")]
    later = {"startsAt": "2026-11-21T09:00:00Z"}
    client.post("/api/v1/alerts", json=told(later))
    assert len(runner.runs) == 2
    assert "twinstack_alert_total 2.0" in client.get("/metrics").text


def test_an_alert_that_ends_is_marked_and_starts_nothing(client: TestClient, runner: RecordedRunner) -> None:
    client.post("/api/v1/alerts", json=told())
    client.post("/api/v1/alerts", json=told({"status": "resolved"}))
    assert [one["status"] for one in client.get("/api/v1/alerts").json()] == ["resolved"]
    assert len(runner.runs) == 1


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "TwinstackNoTraffic", "twin": "credit"},
        {"alertname": "TwinstackDriftPersists", "twin": "nobody"},
        {"alertname": "TwinstackDriftPersists"},
        {},
    ],
)
def test_other_alerts_are_kept_and_start_nothing(
    client: TestClient, runner: RecordedRunner, labels: dict[str, str]
) -> None:
    answer = client.post("/api/v1/alerts", json=told({"labels": labels}))
    assert answer.json()[0]["action"] == "kept"
    assert not runner.runs


def test_an_alert_while_a_run_goes_on_starts_monitor_when_it_is_told_again(
    client: TestClient, runner: RecordedRunner
) -> None:
    runner.busy = True
    assert "going on" in client.post("/api/v1/alerts", json=told()).json()[0]["action"]
    runner.busy = False
    assert client.post("/api/v1/alerts", json=told()).json()[0]["action"] == "monitor started"
    assert client.post("/api/v1/alerts", json=told()).json()[0]["run"] == "r0"
    assert len(runner.runs) == 1


def test_an_alert_while_monitor_runs_is_kept_with_that_run(
    client: TestClient, runner: RecordedRunner
) -> None:
    client.post("/api/v1/alerts", json=told())
    runner.busy = True
    (second,) = client.post("/api/v1/alerts", json=told({"fingerprint": "bb"})).json()
    assert (second["action"], second["run"]) == ("kept: monitor is running already", "r0")


def test_an_approved_retraining_starts_and_says_who(
    client: TestClient, console: Console, runner: RecordedRunner
) -> None:
    asked = approvals.ask(console.warehouse, "credit", "retraining", "v1", "2 of 28 signals drifted")
    assert (
        'twinstack_approvals_pending{subject="retraining",twin="credit"} 1.0' in client.get("/metrics").text
    )
    done = client.post(f"/api/v1/approvals/{asked.id}/approve", json={"note": "agreed"}).json()
    assert (done["state"], done["by"], done["note"]) == ("approved", "local", "agreed")
    assert [(one.pipeline, one.by) for one in runner.runs] == [("end_to_end", "local")]
    again = client.post(f"/api/v1/approvals/{asked.id}/reject", json={})
    assert again.status_code == 409
    assert "was approved by 'local'" in again.json()["error"]["message"]


def test_a_rejected_retraining_starts_nothing(
    client: TestClient, console: Console, runner: RecordedRunner
) -> None:
    asked = approvals.ask(console.warehouse, "credit", "retraining", "v1", "drift")
    assert client.post(f"/api/v1/approvals/{asked.id}/reject", json={}).json()["state"] == "rejected"
    assert not runner.runs
    assert client.get("/api/v1/approvals", params={"state": "pending"}).json() == []


def test_an_approval_that_cannot_be_carried_out_stays_open(
    client: TestClient, console: Console, runner: RecordedRunner
) -> None:
    runner.busy = True
    asked = approvals.ask(console.warehouse, "credit", "retraining", "v1", "drift")
    assert client.post(f"/api/v1/approvals/{asked.id}/approve", json={}).status_code == 409
    assert approvals.read(console.warehouse, asked.id).state == "pending"
    gone = approvals.ask(console.warehouse, "credit", "release", "nothing", "a rule asks")
    assert client.post(f"/api/v1/approvals/{gone.id}/approve", json={}).status_code == 404
    assert approvals.read(console.warehouse, gone.id).state == "pending"


def test_sources_tell_what_a_twin_is_made_from(client: TestClient, runner: RecordedRunner) -> None:
    found = {one["twin"]: one for one in client.get("/api/v1/sources").json()}
    assert found["docs"]["sources"][0]["type"] == "git"
    assert found["credit"]["sources"][0]["path"].endswith("german_credit.csv")
    assert client.post("/api/v1/sources/docs/collect").status_code == 202
    assert runner.runs[-1].pipeline == "collect"


def test_the_page_that_describes_it_comes_from_here_alone(client: TestClient) -> None:
    page = client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {link.rsplit("/", 1)[-1] for link in links} >= {"swagger-ui-bundle.js", "swagger-ui.css"}
    for link in links:
        assert link.startswith("/docs/static/"), link
        assert client.get(link).status_code == 200


def test_every_route_is_listed_by_what_it_does(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    listed = {(path, method): said["summary"] for path, one in paths.items() for method, said in one.items()}
    assert listed["/api/v1/runs", "post"] == "Start a pipeline; one run of a twin at a time"
    assert [place for place, said in listed.items() if " " not in said] == []


def test_each_route_asks_for_its_role(
    keyed: tuple[TestClient, dict[str, dict[str, str]]], runner: RecordedRunner
) -> None:
    client, headers = keyed
    run = {"pipeline": "monitor", "twin": "credit"}
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200
    for path in (
        "/api/v1/runs",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/docs/static/swagger-ui.css",
        "/nothing",
        "/",
        "/healthz/",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
    assert client.get("/openapi.json", headers=headers["viewer"]).status_code == 200
    assert client.get("/api/v1/runs", headers={"authorization": "Bearer no"}).status_code == 401
    assert client.get("/api/v1/runs", headers=headers["caller"]).status_code == 403
    assert client.get("/api/v1/runs", headers=headers["viewer"]).status_code == 200
    assert client.post("/api/v1/runs", json=run, headers=headers["viewer"]).status_code == 403
    assert client.post("/api/v1/alerts", json=told(), headers=headers["operator"]).status_code == 403
    assert not runner.runs
    assert client.post("/api/v1/alerts", json=told(), headers=headers["alerts"]).status_code == 200
    assert client.post("/api/v1/runs", json=run, headers=headers["operator"]).status_code == 202
    assert runner.runs[-1].by == "operator"


def test_a_key_of_one_twin_reaches_nothing_of_another(
    keyed: tuple[TestClient, dict[str, dict[str, str]]], console: Console, runner: RecordedRunner
) -> None:
    client, headers = keyed
    mine = headers["of docs"]
    asked = approvals.ask(console.warehouse, "credit", "retraining", "v1", "drift").id
    answered(console.warehouse, 1)
    other = answered(console.warehouse, 2, twin="credit")
    label = {"request_id": "r2", "value": 1, "event_time": "2026-02-01"}
    for method, path, body in (
        ("GET", "/api/v1/feedback?twin=credit", None),
        ("GET", "/api/v1/labels/queue?twin=credit", None),
        ("POST", "/api/v1/labels/queue?twin=credit&policy=random", None),
        ("POST", "/api/v1/labels", {"twin": "credit", "labels": [label]}),
        ("POST", "/api/v1/sources/credit/collect", None),
        ("POST", "/api/v1/runs", {"pipeline": "monitor", "twin": "credit"}),
        ("POST", f"/api/v1/approvals/{asked}/approve", {}),
    ):
        assert client.request(method, path, json=body, headers=mine).status_code == 403, path
    unknown = client.get("/api/v1/feedback?twin=nobody", headers=mine)
    assert unknown.status_code == 403
    assert "credit" not in unknown.text
    assert not runner.runs
    assert client.post("/api/v1/alerts", json=told(), headers=mine).status_code == 403
    run = {"pipeline": "monitor", "twin": "credit"}
    started = client.post("/api/v1/runs", json=run, headers=headers["operator"]).json()["id"]
    assert client.get(f"/api/v1/runs/{started}", headers=mine).status_code == 403
    client.post("/api/v1/alerts", json=told(), headers=headers["alerts"])
    for path in ("alerts", "approvals", "runs"):
        assert client.get(f"/api/v1/{path}", headers=headers["viewer"]).json(), path
        assert client.get(f"/api/v1/{path}", headers=mine).json() == [], path
    assert [one["twin"] for one in client.get("/api/v1/sources", headers=mine).json()] == ["docs"]
    for name in ("r2", other.id):
        assert client.get(f"/api/v1/lineage/{name}", headers=mine).status_code == 404
    assert client.get("/api/v1/lineage/r1", headers=mine).status_code == 200
    assert client.get("/api/v1/labels/queue?twin=docs", headers=mine).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/api/v1/runs", {"pipeline": "everything", "twin": "credit"}, 400, "body.pipeline"),
        ("POST", "/api/v1/runs", {"pipeline": "collect"}, 400, "body.twin"),
        ("POST", "/api/v1/runs", {"pipeline": "collect", "twin": "credit", "x": 1}, 400, "body.x"),
        ("POST", "/api/v1/alerts", {"version": "3", "alerts": []}, 400, "body.version"),
        ("POST", "/api/v1/alerts", told({"fingerprint": "../etc"}), 400, "body.alerts.0.fingerprint"),
        ("POST", "/api/v1/approvals/none/approve", {}, 404, "id"),
        ("GET", "/api/v1/runs/none", None, 404, "id"),
        ("GET", "/api/v1/runs?limit=0", None, 400, "query.limit"),
        ("GET", "/api/v1/labels/queue?twin=nobody", None, 404, "twin"),
        ("GET", "/api/v1/feedback?twin=nobody", None, 404, "twin"),
        ("GET", "/api/v1/nothing", None, 404, "path"),
        ("DELETE", "/api/v1/runs", None, 405, "method"),
    ],
)
def test_what_is_wrong_is_told_in_one_shape(
    client: TestClient, method: str, path: str, body: Any, status: int, param: str
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    assert error["param"] == param
    assert error["request_id"] == answer.headers["x-request-id"]


def test_a_list_comes_in_pages_that_lead_to_each_other(client: TestClient) -> None:
    alerts = [{"fingerprint": f"{number:04x}", "labels": {"alertname": "Any"}} for number in range(7)]
    client.post("/api/v1/alerts", json=told(*alerts))
    seen, path = [], "/api/v1/alerts?limit=3"
    while path:
        answer = client.get(path)
        seen.append([one["id"][:4] for one in answer.json()])
        following = answer.links.get("next")
        path = f"/api/v1/alerts{following['url']}" if following else ""
    assert seen == [["0000", "0001", "0002"], ["0003", "0004", "0005"], ["0006"]]


def test_approvals_and_the_queue_come_in_pages_too(client: TestClient, console: Console) -> None:
    made = [approvals.ask(console.warehouse, "credit", "retraining", f"v{at}", "drift").id for at in range(3)]
    for number in range(3):
        answered(console.warehouse, number)
    drawn = client.post("/api/v1/labels/queue", params={"twin": "docs", "policy": "random"}).json()
    assert len(drawn) == 3
    for path, key, wanted in (
        ("/api/v1/approvals?limit=2", "id", set(made)),
        ("/api/v1/labels/queue?limit=2&twin=docs", "request_id", {"r0", "r1", "r2"}),
    ):
        first = client.get(path)
        second = client.get(path.partition("?")[0] + first.links["next"]["url"])
        assert (len(first.json()), len(second.json())) == (2, 1)
        assert "next" not in second.links
        assert {one[key] for one in [*first.json(), *second.json()]} == wanted


def test_a_body_that_is_too_large_is_refused(client: TestClient, console: Console) -> None:
    limit = console.config.console.max_body_bytes
    answer = client.post("/api/v1/alerts", content=b" " * (limit + 1))
    assert answer.status_code == 413
    streamed = client.post(
        "/api/v1/alerts", content=(b" " * 1_000_000 for _ in range(limit // 1_000_000 + 1))
    )
    assert streamed.status_code == 413


def test_every_route_is_described_with_its_errors(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, route in methods.items():
            assert route["description"], (method, path)
            if path.startswith("/api/"):
                assert {"401", "403"} <= set(route["responses"]), (method, path)
