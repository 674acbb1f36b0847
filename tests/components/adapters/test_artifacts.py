"""One contract for every artifact store: artifacts are whole or do not exist.

The folder is real; object storage is moto's server, a stand-in for S3 that speaks its protocol over HTTP.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.adapters import objects
from components.adapters.artifacts.contract import Artifacts, require_latest
from components.adapters.artifacts.folders import FolderArtifacts
from components.adapters.artifacts.s3 import S3Artifacts
from components.adapters.model_files import available, local_folder
from components.shared import sums
from components.shared.errors import DataError, MissingError, NotFoundError
from components.shared.manifests import Manifest
from tests import servers

DRAFT = Manifest(stage="train", twin="t", recipe="r1", version="", uri="")


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, servers.object_storage(patch) as uri:
        yield uri


#: Opens the store anew, as another pod: nothing of the one before is left but what it committed.
Opened = Callable[[], Artifacts]


@pytest.fixture(params=["folder", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "folder":
        return lambda: FolderArtifacts(tmp_path)
    uri = f"{request.getfixturevalue('bucket')}/{tmp_path.name}"
    pods: list[int] = []

    def another() -> Artifacts:
        pods.append(1)
        return S3Artifacts(uri, tmp_path / f"pod{len(pods)}")

    return another


def build(folder: Path) -> Manifest:
    (folder / "booster").mkdir()
    (folder / "booster/model.txt").write_text("weights")
    return DRAFT


def test_a_committed_folder_is_found_by_its_recipe(opened: Opened) -> None:
    made = opened().commit(DRAFT, build)
    for found in (opened().find("train", "r1"), opened().with_version("train", made.version)):
        assert found is not None
        assert found.model_dump() == made.model_dump()
        assert (found.folder / "booster/model.txt").read_text() == "weights"
    assert (made.folder / "booster/model.txt").read_text() == "weights"


def test_what_was_not_made_is_not_found(opened: Opened) -> None:
    opened().commit(DRAFT, build)
    assert opened().find("train", "r2") is None
    assert opened().with_version("train", "0" * 16) is None
    assert opened().latest("t", "train") is None


def test_a_build_that_fails_leaves_nothing_for_readers_and_can_run_again(opened: Opened) -> None:
    def half(folder: Path) -> Manifest:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        opened().commit(DRAFT, half)
    assert opened().find("train", "r1") is None
    made = opened().commit(DRAFT, build)
    names = {path.name for path in made.folder.iterdir()} - {"manifest.json", "SHA256SUMS"}
    assert names == {"booster"}


@pytest.mark.parametrize("of", ["find", "with_version", "latest", "bound"])
def test_a_file_that_was_changed_after_its_commit_is_refused_by_name(opened: Opened, of: str) -> None:
    store = opened()
    made = store.commit(DRAFT, build)
    store.mark_latest(made)
    path = made.folder / "booster/model.txt"
    before = path.stat()
    path.write_text("w3ights")  # as long as before
    found = {
        "find": lambda: store.find("train", "r1"),
        "with_version": lambda: store.with_version("train", made.version),
        "latest": lambda: store.latest("t", "train"),
        "bound": lambda: store.bound(Manifest.model_validate(made.model_dump())),
    }[of]()
    assert found is not None, "facts can be read all the same"
    with pytest.raises(DataError, match=r"changed since: booster/model\.txt; .*; delete .* run again"):
        _ = found.folder
    path.write_text("weights")
    assert path.stat().st_mtime_ns > before.st_mtime_ns
    assert found.folder == made.folder


def test_digests_beside_the_files_are_read_by_sha256sum(opened: Opened) -> None:
    folder = opened().commit(DRAFT, build).folder
    done = subprocess.check_output(["sha256sum", "--check", "--strict", sums.NAME], cwd=folder)
    assert done == b"booster/model.txt: OK\n"


def test_an_artifact_of_a_version_that_left_no_digests_is_taken_as_it_is(tmp_path: Path) -> None:
    made = FolderArtifacts(tmp_path).commit(DRAFT, build)
    (made.folder / sums.NAME).unlink()
    (made.folder / "booster/model.txt").write_text("other")
    assert (made.folder / "booster/model.txt").read_text() == "other"


def test_the_same_content_has_the_same_version_whatever_the_recipe(opened: Opened) -> None:
    other = DRAFT.model_copy(update={"recipe": "r2"})
    first = opened().commit(DRAFT, build)
    second = opened().commit(other, lambda folder: build(folder).model_copy(update={"recipe": "r2"}))
    assert first.version == second.version


def test_a_recipe_that_is_committed_is_not_built_again(opened: Opened) -> None:
    opened().commit(DRAFT, build)

    def never(folder: Path) -> Manifest:
        raise AssertionError("built twice")

    assert opened().commit(DRAFT, never).recipe == "r1"


def test_the_newest_output_is_what_was_marked_last(opened: Opened) -> None:
    first = opened().commit(DRAFT, build)
    second = first.model_copy(update={"recipe": "r2"})
    opened().mark_latest(first)
    opened().mark_latest(second)
    found = opened().latest("t", "train")
    assert found is not None and found.recipe == "r2"


def test_a_missing_output_says_what_to_run(opened: Opened) -> None:
    with pytest.raises(MissingError, match=r"no output of stage train or finetune yet.*twin run end_to_end"):
        require_latest(opened(), "t", ("train", "finetune"))


def test_of_two_pods_that_build_one_recipe_the_first_counts_for_both(bucket: str, tmp_path: Path) -> None:
    uri = f"{bucket}/{tmp_path.name}"
    first, second = S3Artifacts(uri, tmp_path / "one"), S3Artifacts(uri, tmp_path / "two")
    meanwhile: list[Manifest] = []

    def slow(folder: Path) -> Manifest:
        meanwhile.append(first.commit(DRAFT, build))
        (folder / "other.txt").write_text("not the same")
        return DRAFT

    made = second.commit(DRAFT, slow)
    assert made.model_dump() == meanwhile[0].model_dump()
    assert [path.name for path in made.folder.iterdir() if path.is_dir()] == ["booster"]
    assert len([name for name in objects.keys(f"{uri}/train/r1") if name.endswith("other.txt")]) == 0


def test_files_without_a_manifest_are_no_artifact(bucket: str, tmp_path: Path) -> None:
    uri = f"{bucket}/{tmp_path.name}"
    (tmp_path / "left").mkdir()
    build(tmp_path / "left")
    objects.put_folder(tmp_path / "left", f"{uri}/train/r1/somewhere")
    objects.write(f"{uri}/versions/train/v1/r1", b"")
    store = S3Artifacts(uri, tmp_path / "pod")
    assert store.find("train", "r1") is None
    assert store.with_version("train", "v1") is None


def test_a_manifest_that_came_by_another_way_is_opened_by_its_store(bucket: str, tmp_path: Path) -> None:
    store = S3Artifacts(f"{bucket}/{tmp_path.name}", tmp_path / "one")
    text = store.commit(DRAFT, build).model_dump_json()
    read = Manifest.model_validate_json(text)
    with pytest.raises(DataError, match="not on this machine"):
        _ = read.folder
    other = S3Artifacts(f"{bucket}/{tmp_path.name}", tmp_path / "two")
    assert (other.bound(read).folder / "booster/model.txt").read_text() == "weights"
    assert other.bound(read).model_dump_json() == text


def test_an_interrupted_copy_is_fetched_again(bucket: str, tmp_path: Path, monkeypatch: Any) -> None:
    store = S3Artifacts(f"{bucket}/{tmp_path.name}", tmp_path / "one")
    made = store.commit(DRAFT, build)
    shutil.rmtree(tmp_path / "one")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _ = made.folder
    assert (made.folder / "booster/model.txt").read_text() == "weights"


def test_model_files_are_fetched_by_their_uri(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = S3Artifacts(f"{bucket}/{tmp_path.name}", tmp_path / "one").commit(DRAFT, build)
    assert available(made.uri) and (local_folder(made.uri) / "booster/model.txt").read_text() == "weights"
    assert not available(f"{made.uri}x")
    with pytest.raises(NotFoundError, match="model files are gone"):
        local_folder(f"{made.uri}x")


def test_a_bucket_that_is_not_there_is_told(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(objects.ObjectStorageError, match="NoSuchBucket"):
        S3Artifacts("s3://elsewhere/x", tmp_path).commit(DRAFT, build)
