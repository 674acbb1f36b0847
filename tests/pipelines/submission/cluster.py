"""Configurations of a cluster whose Kubeflow Pipelines server is the stub, and what it says of runs."""

from pathlib import Path
from typing import Any

import yaml

from components.shared.config import Config, load
from tests.components.adapters.kfp.stub import Kept

ROOT = Path(__file__).resolve().parents[3]
STORES = {
    "warehouse": "sqlite:////data/warehouse.db", "vectors": "milvus-lite:////data/vectors",
    "features": "feast:////data/features", "tracking": "sqlite:////data/mlflow.db",
    "artifacts": "file:////data/artifacts",
}  # fmt: skip


def overlay(folder: Path, stub: Kept, **cluster: Any) -> Path:
    """A file laid over the project's configuration: profile, stores and the section `cluster`."""
    kfp = {"endpoint": stub.url, "poll_seconds": 0.01, **cluster.pop("kfp", {})}
    path = folder / "cluster.yaml"
    path.write_text(
        yaml.safe_dump({"profile": "cluster", "stores": STORES, "cluster": {**cluster, "kfp": kfp}})
    )
    return path


def configured(folder: Path, stub: Kept, **cluster: Any) -> Config:
    return load(ROOT / "twinstack.yaml", [overlay(folder, stub, **cluster)])


def task(name: str, state: str, error: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        "display_name": name,
        "state": state,
        "start_time": "2026-01-01T00:00:00Z",
        "end_time": "2026-01-01T00:01:30Z",
    }
    return {**found, "error": {"message": error}} if error else found


def look(state: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"state": state, "run_details": {"task_details": list(tasks)}}
