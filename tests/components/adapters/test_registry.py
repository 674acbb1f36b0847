"""MLflow on SQLite: registering is repeatable, the alias follows."""

from pathlib import Path

import pytest

from components.adapters.registry import Registry, local_folder
from components.shared.errors import ConfigError, NotFoundError


def test_a_recipe_is_registered_once_and_promoted(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.txt").write_text("weights")

    def register(recipe: str):
        return registry.register(
            twin="t",
            recipe=recipe,
            folder=tmp_path / "model",
            params={"rounds": 3},
            metrics={"auc": 0.5},
            tags={"commit": "abc"},
        )

    first, again, other = register("r1"), register("r1"), register("r2")
    assert first == again
    assert other.version == "2"
    assert (local_folder(first.uri) / "model.txt").read_text() == "weights"
    assert registry.champion("t") is None
    registry.promote("t", first.version)
    assert registry.champion("t") == first


def test_a_model_elsewhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="gs://bucket/model"):
        local_folder("gs://bucket/model")


def test_a_model_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="model files are gone"):
        local_folder((tmp_path / "gone").as_uri())
