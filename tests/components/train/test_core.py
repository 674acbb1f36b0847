"""Stage train: what it leaves and records, and that it refuses code without a commit."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.adapters.model_files import local_folder
from components.dataflows import boosting, scorecard
from components.runtime.context import Context
from components.shared import manifests
from components.shared.errors import LineageError
from components.train import core
from tests.components.classic_fixtures import REPOSITORY, credit, finished
from tests.components.samples import classic_twin


def test_what_it_leaves() -> None:
    config, made = finished()
    twin = classic_twin(config)
    folder = made["model"].folder
    assert {path.name for path in folder.iterdir()} == {
        "booster", "scorecard.json", "features.json", "manifest.json", "SHA256SUMS",
    }  # fmt: skip
    assert json.loads((folder / "features.json").read_text())["features"] == list(twin.features)
    features, labels = core.read(made["dataset"], "test", twin.features)
    assert features.shape == (250, len(twin.features)) and features.dtype == np.float64
    assert labels.shape == (250,) and set(labels) == {0.0, 1.0}
    for chance in (
        boosting.probability(boosting.load(folder), features),
        scorecard.probability(scorecard.load(folder), features),
    ):
        assert chance.shape == (250,) and ((chance > 0) & (chance < 1)).all()


def test_what_it_records() -> None:
    _, made = finished()
    facts: dict[str, Any] = made["model"].facts
    assert len(facts["commit"]) == 40
    assert facts["dataset_version"] == made["dataset"].version
    assert {"xgboost", "xgboost-cpu"} & set(facts["packages"])
    assert "600 rows" in facts["trained_on"]
    assert facts["metrics"]["rounds"] > 1


def test_the_registry_holds_the_same_files() -> None:
    config, made = finished()
    copy = local_folder(made["model"].text("model_uri"))
    for name in ("booster/model.ubj", "scorecard.json", "features.json"):
        assert (copy / name).read_bytes() == (made["model"].folder / name).read_bytes()
    again = core.run(Context(config, "credit", "train", True), dataset=made["dataset"])
    assert again.skipped
    assert again.facts["model_version"] == made["model"].facts["model_version"]


def test_a_lost_registry_is_filled_again(tmp_path: Path) -> None:
    _, made = finished()
    first = core.run(Context(credit(tmp_path), "credit", "train", True), dataset=made["dataset"])
    shutil.rmtree(tmp_path / "mlflow")
    # Another process: MLflow keeps a database open that is gone.
    words = ["--twin", "credit", "--allow-dirty", "--dataset", str(made["dataset"].folder / "manifest.json")]
    subprocess.run(
        [sys.executable, "-m", "components.train", *words, "--output", str(tmp_path / "again.json")],
        env={**os.environ, "TWINSTACK_STATE": str(tmp_path)},
        cwd=REPOSITORY,
        check=True,
    )
    again = manifests.read(tmp_path / "again.json")
    assert again.skipped and again.version == first.version
    assert (local_folder(again.text("model_uri")) / "booster/model.ubj").is_file()


def test_uncommitted_code_is_refused_and_marked_where_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWINSTACK_GIT_COMMIT", raising=False)
    config, made = finished()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "start"], check=True)
    (tmp_path / "changed.py").write_text("")
    elsewhere = config.model_copy(update={"root": str(tmp_path), "state": str(config.state_path)})
    with pytest.raises(LineageError, match=r"1 uncommitted changes: changed\.py"):
        core.run(Context(elsewhere, "credit", "train"), dataset=made["dataset"])
    marked = core.run(Context(elsewhere, "credit", "train", True), dataset=made["dataset"])
    assert marked.facts["dirty"] is True
    assert marked.facts["model_version"]
