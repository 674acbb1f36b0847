"""Real Prometheus, Alertmanager and Pushgateway around a loaded front.

The rules are those that are shipped, made by the same code with hours as seconds. Nothing here waits for a
time, only for conditions.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn

from components.adapters.stores import Stores
from components.collect import core as collect
from components.console.app import made
from components.console.console import Console
from components.monitor import traffic
from components.runtime.context import Context
from components.runtime.entry import run_stage
from components.runtime.history import labels
from components.shared.errors import DataError
from components.shared.interactions import Label
from components.shared.manifests import Manifest
from tests.components.console.conftest import RecordedRunner
from tests.components.serving.conftest import ROOT, Served
from tests.conftest import free_port, until
from tests.observability import processes
from tests.observability.boards import queries
from tools.observability.__main__ import rule_files
from tools.observability.data_alerts import DRIFT
from tools.observability.promql import Clock

#: An hour is 4 s; nothing is shorter than 2 s, ten scrapes.
CLOCK = Clock(4 / 3600, shortest=2)

pytestmark = processes.needs(*processes.TOOLS)


class Webhook(BaseHTTPRequestHandler):
    """Keeps what Alertmanager sends."""

    alerts: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.alerts.extend(json.loads(body)["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@dataclass(frozen=True)
class Watched:
    """A front with everything that watches it."""

    served: Served
    prometheus: str
    gateway: str
    alerts: list[dict[str, Any]]
    operations: str
    runner: RecordedRunner

    def query(self, text: str) -> list[dict[str, Any]]:
        """Result of an instant query."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": text}, trust_env=False)
        assert answer.status_code == 200, f"{text}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def firing(self, alert: str, twin: str, feature: str = "") -> bool:
        labels = f'alertname="{alert}",twin="{twin}",feature="{feature}",alertstate="firing"'
        return bool(self.query(f"ALERTS{{{labels}}}"))

    def received(self, alert: str, twin: str, status: str) -> list[dict[str, Any]]:
        """What reached the webhook."""
        return [
            one
            for one in list(self.alerts)
            if one["status"] == status
            and one["labels"]["alertname"] == alert
            and one["labels"].get("twin") == twin
        ]


@pytest.fixture(scope="module")
def webhook() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), type("Fresh", (Webhook,), {"alerts": []}))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def operations(served: Served) -> Iterator[tuple[str, RecordedRunner]]:
    """The operations API on a port; what it would run is noted, because a run is not what this is about."""
    runner, port = RecordedRunner(), free_port()
    app = made(Console(served.config, served.folder / "twinstack.yaml", runner))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, 30, "the operations API")
    yield f"http://127.0.0.1:{port}", runner
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture(scope="module")
def watched(
    served: Served,
    webhook: HTTPServer,
    operations: tuple[str, RecordedRunner],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    handler = webhook.RequestHandlerClass
    assert isinstance(handler, type) and issubclass(handler, Webhook)
    address, runner = operations
    receivers = (f"http://127.0.0.1:{webhook.server_port}/", f"{address}/api/v1/alerts")
    with (
        processes.pushgateway(folder) as gateway,
        processes.alertmanager(folder, *receivers) as manager,
        processes.prometheus(
            folder, rule_files(CLOCK), [served.url, gateway, address], manager
        ) as prometheus,
    ):
        yield Watched(served, prometheus, gateway, handler.alerts, address, runner)


def load(watched: Watched) -> None:
    """A little of everything that a front answers."""
    watched.served.predict({"applicant_id": "A0001"}, {"applicant_id": "A0002"})
    watched.served.post("/v1/models/credit:predict", {"instances": [{"applicant_id": "nobody"}]})
    assert watched.served.chat("What is an alias?", max_tokens=2).status_code == 200


def judge(watched: Watched) -> None:
    """Say what became of a hundred applications, and join that to their answers, as stage `monitor` does."""
    served, table = watched.served, pd.read_csv(ROOT / "twins/credit/german_credit.csv").head(100)
    keys = [{"applicant_id": f"A{number + 1:04}"} for number in range(len(table))]
    answer = served.post("/v1/models/credit:predict", {"instances": keys})
    at, request = datetime.now(UTC).isoformat(), answer.headers["x-request-id"]
    outcomes = [
        Label(request_id=request, twin="credit", instance=place, value=value, event_time=at)
        for place, value in enumerate(table["creditability"])
    ]
    warehouse = Stores(served.config).warehouse
    assert labels.add(warehouse, outcomes)["added"] == len(table)
    context = Context(served.config, "credit", "monitor")

    def measured() -> bool:
        """Whether the answer has reached the warehouse, and enough of them are labelled."""
        found = traffic.seen(context, served.credit).quality
        return found is not None and "roc_auc" in found.measures

    until(measured, 60, "answers with labels")


def push(watched: Watched, folder: Path) -> None:
    """Run a stage that succeeds and one that fails, the way a pod does."""
    config = watched.served.config
    cluster = config.cluster.model_copy(update={"pushgateway": watched.gateway})
    config = config.model_copy(update={"cluster": cluster, "state": str(folder)})

    def fails(context: Context) -> Manifest:
        raise DataError("the source is gone")

    run_stage(collect.run, Context(config, "credit", "collect"), {})
    with pytest.raises(DataError):
        run_stage(fails, Context(config, "credit", "validate"), {})


def test_every_query_of_every_dashboard_returns_data(watched: Watched, tmp_path: Path) -> None:
    push(watched, tmp_path)
    judge(watched)
    waiting = list(queries())
    assert len(waiting) > 50

    def answered() -> bool:
        load(watched)
        waiting[:] = [one for one in waiting if not watched.query(one.query)]
        return not waiting

    try:
        until(answered, 60, "data in every panel")
    except pytest.fail.Exception:
        pytest.fail(f"no data: {[(one.id, one.query) for one in waiting]}")


def test_an_alert_reaches_its_receiver_says_what_to_do_and_ends(watched: Watched) -> None:
    name, twin = "TwinstackNoTraffic", "credit"
    until(lambda: bool(watched.received(name, twin, "firing")), 60, "an alert on no traffic")
    said = watched.received(name, twin, "firing")[0]["annotations"]
    assert said["summary"].startswith("Twin credit is served, and nobody")
    assert said["since"].endswith("UTC")
    assert said["runbook_url"] == "docs/runbooks/TwinstackNoTraffic.md"

    def over() -> bool:
        watched.served.predict({"applicant_id": "A0001"})
        return bool(watched.received(name, twin, "resolved")) and not watched.firing(name, twin)

    until(over, 60, "the end of the alert")


def test_a_drift_alert_fires_while_inputs_are_shifted_and_ends_with_the_shift(watched: Watched) -> None:
    name, feature = "TwinstackDrift", "amount_log"
    table = pd.read_csv(ROOT / "twins/credit/german_credit.csv").drop(columns="creditability")
    shifted = table.assign(credit_amount=table["credit_amount"] * 20)
    draws = np.random.default_rng(0)

    def told(status: str, rows: pd.DataFrame) -> bool:
        """Ask about a hundred rows, and say whether the receiver was told."""
        drawn = rows.iloc[draws.choice(len(rows), 100, replace=False)]
        watched.served.predict(*json.loads(drawn.to_json(orient="records")))
        return any(one["labels"]["feature"] == feature for one in watched.received(name, "credit", status))

    def usual() -> bool:
        told("firing", table)
        found = watched.query(f'{DRIFT}{{twin="credit",feature="{feature}"}} <= 1')
        return bool(found) and not watched.firing(name, "credit", feature)

    until(usual, 60, "a window without drift")
    watched.alerts.clear()
    until(lambda: told("firing", shifted), 60, "an alert on drift")
    said = watched.received(name, "credit", "firing")
    summaries = [one["annotations"]["summary"] for one in said]
    assert [text for text in summaries if text.startswith("Feature amount_log of twin credit has drifted")]
    until(lambda: bool(watched.runner.listed("credit")), 60, "a run of monitor")
    assert {(run.pipeline, run.by) for run in watched.runner.listed()} == {("monitor", "alert")}
    until(lambda: told("resolved", table), 60, "the end of drift")
    assert not watched.firing(name, "credit", feature)
    kept = httpx.get(f"{watched.operations}/api/v1/alerts", trust_env=False).json()
    assert {one["alert"] for one in kept} >= {name, "TwinstackNoTraffic"}


def test_a_failed_stage_raises_an_alert(watched: Watched, tmp_path: Path) -> None:
    push(watched, tmp_path)
    until(lambda: watched.firing("TwinstackStepFailed", "credit"), 60, "an alert on a failed stage")
    (found,) = watched.query('ALERTS{alertname="TwinstackStepFailed"}')
    assert found["metric"]["step"] == "validate"


def test_no_rule_fails_and_no_annotation_is_broken(watched: Watched) -> None:
    groups = httpx.get(f"{watched.prometheus}/api/v1/rules", trust_env=False).json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 35
    assert [rule["name"] for rule in rules if rule["health"] != "ok" or rule.get("lastError")] == []
    texts = [text for rule in rules for one in rule.get("alerts", ()) for text in one["annotations"].values()]
    assert texts
    assert not [text for text in texts if "error" in text and "template" in text]
