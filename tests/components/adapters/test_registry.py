"""MLflow: registering is repeatable, the alias follows; on a local database and on a real server."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.adapters.model_files import local_folder
from components.adapters.registry import Registered, Registry, TrackingError
from components.adapters.stores import Stores
from components.shared import digest, sums
from components.shared.config import load
from components.shared.config.stores import Stores as Named
from components.shared.errors import ConfigError, NotFoundError, TwinError
from tests import servers
from tests.conftest import REPOSITORY, free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.mlflow(tmp_path_factory.mktemp("mlflow") / "server") as uri:
        yield uri


@pytest.fixture(params=["database", "server"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "database":
        return Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    return Registry(request.getfixturevalue("server"), artifacts=None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.txt").write_text("weights")
    return folder


def registering(registry: Registry, twin: str, folder: Path) -> Callable[..., Registered]:
    def register(recipe: str, uri: str = "") -> Registered:
        return registry.register(
            twin=twin,
            recipe=recipe,
            folder=folder,
            params={"rounds": 3},
            metrics={"auc": 0.5},
            tags={"commit": "abc"},
            uri=uri or folder.as_uri(),
        )

    return register


def test_the_same_text_is_the_same_version_of_a_prompt(registry: Registry, model: Path) -> None:
    text = "---\nvariables: {}\n---\nUse {context}, {{not}} {% this %}.\n"
    assert registry.prompt("p", text) == 1
    assert registry.prompt("p", text + "More.") == 2
    assert registry.prompt("p", text) == 1
    assert registry.prompt("q", text) == 1
    registering(registry, "p", model)("r1")
    registry.promote("p", "1", text)
    kept = registry._client.get_prompt_version_by_alias("p-prompt", "champion")
    assert (int(kept.version), kept.template) == (1, text)


def test_a_recipe_is_registered_once_and_promoted(registry: Registry, model: Path) -> None:
    register = registering(registry, "t", model)
    first, again, other = register("r1"), register("r1"), register("r2")
    assert first == again and len(first.run) == 32
    assert other.version == "2"
    assert (local_folder(first.uri) / "model.txt").read_text() == "weights"
    assert registry.champion("t") is None
    registry.promote("t", first.version)
    assert registry.champion("t") == first
    assert registry.tags("t", "1")["commit"] == "abc"


def test_files_of_a_model_that_were_harmed_are_refused_and_put_back_by_the_next_run(
    tmp_path: Path, model: Path
) -> None:
    sums.write(model, digest.of_files(model))
    register = registering(Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts"), "t", model)
    first = register("r1")
    path = local_folder(first.uri) / "model.txt"
    for harm in (lambda: path.write_text("w3ights"), path.unlink):
        harm()
        with pytest.raises(TwinError, match=r"model\.txt.*pipeline `train`, which puts the files back"):
            local_folder(first.uri)
        assert register("r1") == first
        assert path.read_text() == "weights"
    assert local_folder(first.uri) == path.parent


def test_a_path_with_four_slashes_as_of_sqlalchemy_keeps_files_where_they_are_found(
    tmp_path: Path, model: Path
) -> None:
    named = Named(tracking=f"sqlite:///{tmp_path}/mlflow.db")
    config = load(REPOSITORY / "twinstack.yaml").model_copy(update={"stores": named})
    register = registering(Stores(config).registry, "t", model)
    for found in (register("r1"), register("r1")):
        assert local_folder(found.uri).is_relative_to(tmp_path / "artifacts")


def test_a_twin_without_a_model_has_no_champion(registry: Registry) -> None:
    assert registry.champion("never-seen") is None


def test_files_in_object_storage_are_named_and_not_copied(server: str, model: Path) -> None:
    registry = Registry(server, artifacts=None)
    before = len([*model.parent.parent.rglob("model.txt")])
    place = "s3://bucket/artifacts/train/r1/0a1b"
    made = registering(registry, "stored", model)("r1", place)
    assert made.uri == place
    assert len([*model.parent.parent.rglob("model.txt")]) == before
    registry.promote("stored", made.version)
    assert registry.champion("stored") == made


def test_a_server_that_is_not_there_is_told_and_is_not_taken_for_no_champion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="MLflow refuses"):
        Registry(f"http://127.0.0.1:{free_port()}", artifacts=None).champion("t")


def test_a_model_elsewhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="gs://bucket/model"):
        local_folder("gs://bucket/model")


def test_a_model_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="model files are gone"):
        local_folder((tmp_path / "gone").as_uri())


def test_nothing_is_told_to_the_makers_of_mlflow(tmp_path: Path) -> None:
    # In a process of its own: MLflow keeps silent by itself where it sees pytest or CI.
    code = (
        "import components.adapters.registry\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "raise SystemExit(get_telemetry_client() is not None)"
    )
    root = str(Path(__file__).parents[3])
    environment = {"HOME": str(tmp_path), "PYTHONPATH": root}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    assert not list(tmp_path.rglob("telemetry.json"))
