"""The whole way round: drifted traffic, an alert, `monitor`, a proposal, a person's word, a new release.

Everything is real but the clock of the rules: the front, Prometheus, Alertmanager, `twin console`, the runs
that it starts. Nothing here waits for a time, only for conditions.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml

from components.collect import core as collect
from components.evaluate import core as evaluate
from components.gate import core as gate
from components.materialize import core as materialize
from components.release import core as release
from components.runtime.context import Context
from components.shared.config import Config, load
from components.shared.identity import hash_of, new_key
from components.shared.lineage import COMMIT_VARIABLE
from components.snapshot import core as snapshot
from components.train import core as train
from components.validate import core as validate
from tests import servers
from tests.components.serving.conftest import ROOT, project
from tests.conftest import TWIN, environment, free_port, until
from tests.observability import processes
from tools.observability.__main__ import rule_files
from tools.observability.promql import Clock

pytestmark = processes.needs("prometheus", "prometheus-alertmanager")

TABLE = pd.read_csv(ROOT / "twins/credit/german_credit.csv")
DRAWS = np.random.default_rng(0)


@dataclass(frozen=True)
class Site:
    """A twin that is served and watched, and the keys of those who deal with it."""

    folder: Path
    front: str
    console: str
    keys: dict[str, str]

    def ask(self, method: str, path: str, role: str, **body: Any) -> httpx.Response:
        """The operations API, with the key of a role."""
        headers = {"authorization": f"Bearer {self.keys[role]}"}
        url = f"{self.console}/api/v1/{path}"
        return httpx.request(method, url, headers=headers, json=body or None, timeout=60, trust_env=False)

    def get(self, path: str) -> Any:
        """What a viewer sees there."""
        answer = self.ask("GET", path, "viewer")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def predict(self, rows: pd.DataFrame) -> str:
        """Ask the front about a hundred of the rows; returns the release that answered."""
        drawn = rows.drop(columns="creditability").iloc[DRAWS.choice(len(rows), 100, replace=False)]
        answer = httpx.post(
            f"{self.front}/v1/models/credit:predict",
            headers={"authorization": f"Bearer {self.keys['caller']}"},
            json={"instances": json.loads(drawn.to_json(orient="records"))},
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return answer.headers["x-twinstack-release"]

    def monitored(self, rows: pd.DataFrame, known: set[str]) -> dict[str, Any]:
        """Ask about the rows until an alert that was not known has led to a run of `monitor`, and its end."""
        found: list[dict[str, Any]] = []

        def followed() -> bool:
            self.predict(rows)
            started = {one["run"] for one in self.get("alerts") if one["action"] == "monitor started"} - known
            ended = [one for one in self.get("runs") if one["id"] in started and one["state"] != "running"]
            assert not [one["error"] for one in ended if one["error"]]
            found[:] = [one for one in ended if one["followed"]]
            return bool(found)

        until(followed, 180, "an alert on drift that leads to a run of monitor")
        return found[0]


def released(config: Config) -> str:
    """The loop by its own stages, in this process: the imports of nine processes are not what is tested."""

    def context(stage: str) -> Context:
        return Context(config, "credit", stage)

    collected = collect.run(context("collect"))
    validated = validate.run(context("validate"), collected=collected)
    features = materialize.run(context("materialize"), validated=validated)
    dataset = snapshot.run(context("snapshot"), validated=validated, features=features)
    model = train.run(context("train"), dataset=dataset)
    parents = {"features": features, "dataset": dataset, "model": model}
    measured = evaluate.run(context("evaluate"), validated=validated, **parents)
    decision = gate.run(context("gate"), evaluation=measured)
    made = release.run(context("release"), evaluation=measured, decision=decision, **parents)
    return made.text("champion")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one twin, over a table that may grow."""
    made = tmp_path_factory.mktemp("site")
    project(made)
    values = yaml.safe_load((made / "twinstack.yaml").read_text(encoding="utf-8"))
    credit = values["twins"]["credit"]
    TABLE.to_csv(made / "credit.csv", index=False)
    credit["table"]["path"] = "credit.csv"
    credit |= {"bootstrap_rounds": 100, "gate": {"rules": [{"metric": "roc_auc", "at_least": 0.6}]}}
    values |= {"twins": {"credit": credit}, "serving": {"keys": {"file": "keys.yaml"}}}
    (made / "twinstack.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    """A key for each role."""
    made = {role: new_key() for role in ("caller", "viewer", "operator", "alerts")}
    entries = [{"id": f"the-{role}", "hash": hash_of(key), "roles": [role]} for role, key in made.items()]
    (folder / "keys.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def site(folder: Path, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    watching, port = tmp_path_factory.mktemp("watching"), free_port()
    console = f"http://127.0.0.1:{port}"
    command = [TWIN, "console", "--port", str(port)]
    committed = {COMMIT_VARIABLE: "0" * 40, "PYTHONPATH": str(ROOT)}  # the folder is under no git
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(COMMIT_VARIABLE, committed[COMMIT_VARIABLE])
        assert released(load(folder / "twinstack.yaml"))
    with (
        servers.twins(folder, watching / "front.log", **committed) as (front, _),
        servers.running(
            command,
            watching / "console.log",
            lambda: servers.answers(f"{console}/healthz"),
            cwd=folder,
            env=environment(**committed),
        ),
        processes.alertmanager(watching, f"{console}/api/v1/alerts", key=keys["alerts"]) as manager,
        processes.prometheus(watching, rule_files(Clock(4 / 3600, shortest=2)), [front], manager),
    ):
        yield Site(folder, front, console, keys)


def test_drifted_traffic_leads_to_a_new_release_by_a_persons_word_and_not_twice(site: Site) -> None:
    inflated = TABLE.assign(credit_amount=TABLE["credit_amount"] * 20)
    seen = site.monitored(inflated, known=set())
    assert (seen["pipeline"], seen["by"], seen["state"]) == ("monitor", "alert", "succeeded")
    assert seen["followed"].startswith("retraining proposed")
    (asked,) = site.get("approvals?state=pending")
    assert (asked["subject"], asked["twin"]) == ("retraining", "credit")
    assert "amount_log" in asked["reason"]

    before = site.predict(inflated)
    pd.concat([TABLE, inflated]).to_csv(site.folder / "credit.csv", index=False)
    answer = f"approvals/{asked['id']}/approve"
    assert site.ask("POST", answer, "viewer", note="please").status_code == 403
    done = site.ask("POST", answer, "operator", note="the currency changed")
    assert (done.status_code, done.json()["by"]) == (200, "the-operator"), done.text
    (run,) = [one for one in site.get("runs") if one["pipeline"] == "end_to_end"]
    until(lambda: site.get(f"runs/{run['id']}")["state"] != "running", 300, "the end of the retraining")
    run = site.get(f"runs/{run['id']}")
    assert run["state"] == "succeeded", run["error"]
    told = {one["stage"]: one for one in run["stages"]}
    assert not told["train"]["skipped"]
    assert "answers (model version 2)" in told["release"]["summary"], told["release"]["summary"]
    until(lambda: site.predict(inflated) != before, 30, "an answer of the new release")

    known = {one["id"] for one in site.get("runs")}
    longer = inflated.assign(duration_in_month=(TABLE["duration_in_month"] * 4).clip(upper=120))
    again = site.monitored(longer, known)
    assert "no retraining proposed: one was at" in again["followed"]
    assert "console.retrain_every_days allows one in 7 days" in again["followed"]
    assert site.get("approvals?state=pending") == []
