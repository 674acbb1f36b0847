"""Artifacts are whole or do not exist."""

from pathlib import Path

import pytest

from components.adapters.artifacts import FolderArtifacts, require_latest
from components.shared.errors import MissingError
from components.shared.manifests import Manifest

DRAFT = Manifest(stage="train", twin="t", recipe="r1", version="", uri="")


def build(folder: Path) -> Manifest:
    (folder / "model.txt").write_text("weights")
    return DRAFT


def test_a_committed_folder_is_found_by_its_recipe(tmp_path: Path) -> None:
    store = FolderArtifacts(tmp_path)
    made = store.commit(DRAFT, build)
    assert store.find("train", "r1") == made
    assert store.with_version("train", made.version) == made
    assert (made.folder / "model.txt").read_text() == "weights"


def test_a_build_that_fails_leaves_nothing_for_readers_and_can_run_again(tmp_path: Path) -> None:
    store = FolderArtifacts(tmp_path)

    def half(folder: Path) -> Manifest:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        store.commit(DRAFT, half)
    assert store.find("train", "r1") is None
    made = store.commit(DRAFT, build)
    assert sorted(path.name for path in made.folder.iterdir()) == ["manifest.json", "model.txt"]


def test_the_same_content_has_the_same_version_whatever_the_recipe(tmp_path: Path) -> None:
    store = FolderArtifacts(tmp_path)
    other = DRAFT.model_copy(update={"recipe": "r2"})
    first = store.commit(DRAFT, build)
    second = store.commit(other, lambda folder: build(folder).model_copy(update={"recipe": "r2"}))
    assert first.version == second.version


def test_a_recipe_that_is_committed_is_not_built_again(tmp_path: Path) -> None:
    store = FolderArtifacts(tmp_path)
    store.commit(DRAFT, build)

    def never(folder: Path) -> Manifest:
        raise AssertionError("built twice")

    assert store.commit(DRAFT, never).recipe == "r1"


def test_a_missing_output_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no output of stage train or finetune yet.*twin run end_to_end"):
        require_latest(FolderArtifacts(tmp_path), "t", ("train", "finetune"))
