"""A console over a project of its own, and a runner that only takes notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from components.adapters.warehouse.contract import ConflictError, Span
from components.console.app import made
from components.console.console import Console
from components.console.runs import NEWEST, Pipeline, Run
from components.shared.config import load
from components.shared.errors import NotFoundError
from components.shared.identity import hash_of, new_key

ROOT = Path(__file__).resolve().parents[3]


class RecordedRunner:
    """Takes notes of what would be started. The real one is tested in test_runner.py."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.busy = False

    def start(self, pipeline: Pipeline, twin: str, by: str) -> Run:
        if self.busy:
            raise ConflictError("a run is going on", remedy="wait")
        run = Run(id=f"r{len(self.runs)}", pipeline=pipeline, twin=twin, by=by, started="2026-01-01T00:00:00")
        self.runs.append(run)
        return run

    def listed(self, twin: str | None = None, span: Span = NEWEST) -> Iterator[Run]:
        assert span.backwards
        yield from (one for one in self.runs if twin in (None, one.twin))

    def read(self, key: str) -> Run:
        for one in self.runs:
            if one.id == key:
                return one
        raise NotFoundError(f"no run '{key}'", param="id")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The configuration file of a project with the shipped twins."""
    values = yaml.safe_load((ROOT / "twinstack.yaml").read_text(encoding="utf-8"))
    values["twins"]["credit"]["table"]["path"] = str(ROOT / values["twins"]["credit"]["table"]["path"])
    path = tmp_path / "twinstack.yaml"
    path.write_text(yaml.safe_dump({**values, "state": "state"}), encoding="utf-8")
    return path


@pytest.fixture
def runner() -> RecordedRunner:
    return RecordedRunner()


@pytest.fixture
def console(project: Path, runner: RecordedRunner) -> Console:
    return Console(load(project), project, runner)


@pytest.fixture
def client(console: Console) -> TestClient:
    """A caller without a key, of a console without keys."""
    return TestClient(made(console), raise_server_exceptions=False)


@pytest.fixture
def keyed(project: Path, runner: RecordedRunner) -> tuple[TestClient, dict[str, dict[str, str]]]:
    """A console with one key a role, one of twin docs only, and the headers of each."""
    presented = {role: new_key() for role in ("caller", "viewer", "operator", "alerts")}
    entries: list[dict[str, Any]] = [
        {"id": role, "hash": hash_of(key), "roles": [role]} for role, key in presented.items()
    ]
    presented["of docs"] = new_key()
    limited = {"id": "of-docs", "hash": hash_of(presented["of docs"]), "roles": ["admin"], "twins": ["docs"]}
    entries.append(limited)
    (project.parent / "keys.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    values = yaml.safe_load(project.read_text(encoding="utf-8"))
    project.write_text(
        yaml.safe_dump({**values, "serving": {"keys": {"file": "keys.yaml"}}}), encoding="utf-8"
    )
    app = made(Console(load(project), project, runner))
    headers = {role: {"authorization": f"Bearer {key}"} for role, key in presented.items()}
    return TestClient(app, raise_server_exceptions=False), headers


ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "TwinstackDriftPersists", "twin": "credit"},
    "annotations": {"summary": "duration drifts"},
    "startsAt": "2026-11-21T08:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "00ff00ff",
    "generatorURL": "http://127.0.0.1/graph",
}


def told(*changes: dict[str, Any]) -> dict[str, Any]:
    """What Alertmanager posts."""
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "receiver": "twinstack",
        "status": "firing",
        "alerts": [{**ALERT, **change} for change in changes or ({},)],
    }
