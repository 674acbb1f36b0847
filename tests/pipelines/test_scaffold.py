"""`twin new`: a twin outside the package that runs before anything in it is changed."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from components.adapters.features.store import Reader
from components.adapters.stores import Stores
from components.collect import core as collect
from components.runtime.context import Context
from components.shared.config import Config, LlmTwin, load
from components.shared.errors import ConfigError, LineageError
from components.shared.evaluation import FILE, Evaluation
from components.shared.manifests import Manifest
from components.validate import core as validate
from pipelines.scaffold_classic import new_classic
from pipelines.scaffold_llm import new_llm
from pipelines.summary import curls
from tests.components.classic_fixtures import chain, datasets

REPOSITORY = Path(__file__).resolve().parents[2]


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *words], check=True
    )


def test_a_scaffolded_twin_runs_from_collect_to_evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWINSTACK_STATE", raising=False)
    monkeypatch.delenv("TWINSTACK_GIT_COMMIT", raising=False)
    written = new_classic("cell-check", tmp_path / "mine")
    assert {path.name for path in written} == {
        "twinstack.yaml", "cell_check_features.py", "cell_check.csv", "README.md", ".gitignore",
    }  # fmt: skip
    assert all(path.is_file() for path in written)
    config = load(tmp_path / "mine" / "twinstack.yaml")
    assert not config.state_path.is_relative_to(REPOSITORY)
    git(tmp_path / "mine", "init", "-q")
    with pytest.raises(LineageError, match="no commit"):
        chain(config, "cell-check")
    git(tmp_path / "mine", "add", ".")
    git(tmp_path / "mine", "commit", "-qm", "start")
    made = chain(config, "cell-check")
    assert made["model"].facts["dirty"] is False
    found = Evaluation.model_validate_json((made["evaluation"].folder / FILE).read_bytes())
    assert found.candidate["roc_auc"].value > 0.9
    v1, v2 = curls(config, Stores(config), "cell-check", "http://127.0.0.1:8080")
    assert '"sample_id": "S001"' in v1
    assert '"data": ["S001"]' in v2
    reader_row = _reader(config, made).lookup(["S001", "absent"])
    assert reader_row[0] is not None and reader_row[1] is None

    features = tmp_path / "mine" / "cell_check_features.py"
    features.write_text(features.read_text().replace("symmetry - 0.18", "symmetry - 0.2"))
    again = datasets(config, "cell-check")
    assert again["validated"].skipped
    assert not again["features"].skipped
    assert again["features"].version != made["features"].version


def _reader(config: Config, made: dict[str, Manifest]) -> Reader:
    return Stores(config).features.online(made["features"].text("feature_version"), "cell-check")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match=r"README\.md would be overwritten"):
        new_classic("cells", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize("new", [new_classic, new_llm])
@pytest.mark.parametrize("name", ["", "Cells", "9cells", "cells-", "../cells", "a" * 41])
def test_a_name_that_the_configuration_refuses_is_refused(
    new: Callable[[str, Path], list[Path]], name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="is no name of a twin"):
        new(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_scaffolded_llm_twin_has_a_corpus_that_answers_its_questions(tmp_path: Path) -> None:
    """The whole loop over it is run by `docs/tutorials/add-an-llm-twin.md`."""
    folder = tmp_path / "mine"
    written = new_llm("handbook", folder)
    config = load(folder / "twinstack.yaml")
    twin = config.twin("handbook")
    assert isinstance(twin, LlmTwin)
    assert "{context}" in (folder / twin.prompt).read_text()
    made = collect.run(Context(config, "handbook", "collect"))
    frozen = validate.run(Context(config, "handbook", "validate"), collected=made)
    corpus = sorted((folder / "documents").iterdir())
    assert set(corpus) < set(written)
    assert frozen.facts["documents"] == len(corpus)
    for one in yaml.safe_load((folder / twin.questions.path).read_text()):
        text = set(re.findall(r"[\w.]+", (folder / "documents" / one["document"]).read_text().lower()))
        words = re.findall(r"[\w.]*\w", one["answer"].lower())
        held = [word for word in words if word in text or f"{word}." in text]
        assert len(held) >= 0.8 * len(words), one
