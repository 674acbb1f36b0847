"""A classic model that answers elsewhere: evaluated there, released as it is, asked by the front."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.adapters.deployers import answers_without
from components.adapters.model_files import local_folder
from components.evaluate import core as evaluate
from components.release import core as release
from components.runtime.context import Context
from components.serving.classic.instances import Instance
from components.serving.classic.release import open_classic
from components.shared.config import Config
from components.shared.config.classic import ClassicTwin
from components.shared.endpoints import kept
from components.shared.evaluation import FILE, Evaluation
from components.shared.generation import PredictorError
from components.shared.manifests import Manifest
from components.shared.metrics.instruments import Instruments
from components.train import core as train
from tests.components.classic_fixtures import credit, finished
from tests.v2_server import serving

SLOTS = ("validated", "features", "dataset")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the trees of the shipped twin answer."""
    _, made = finished()
    with serving(made["model"].folder, tmp_path_factory.mktemp("v2")) as found:
        yield found


def pinned(state: Path, model: str) -> Config:
    """The shipped twin with a model that answers elsewhere, and the data that is there."""
    return credit(state, model=model, bootstrap_rounds=100)


def trained(config: Config) -> Manifest:
    return train.run(Context(config, "credit", "train", True), dataset=finished()[1]["dataset"])


def evaluated(config: Config, model: Manifest) -> Manifest:
    slots = {slot: finished()[1][slot] for slot in SLOTS}
    return evaluate.run(Context(config, "credit", "evaluate"), **slots, model=model)


def test_it_is_evaluated_where_it_answers_and_asked_by_the_front(url: str, tmp_path: Path) -> None:
    config = pinned(tmp_path, f"{url}#credit-1")
    model = trained(config)
    assert model.summary.startswith(f"nothing to train: {url}#credit-1 answers as it is; scorecard of ")
    assert not (model.folder / "booster").exists()
    assert kept(local_folder(model.text("model_uri"))) is not None, "the registered version says where it is"

    evaluation = evaluated(config, model)
    here, there = (numbers(one) for one in (finished()[1]["evaluation"], evaluation))
    assert there.candidate["roc_auc"].value == pytest.approx(here.candidate["roc_auc"].value, abs=1e-4)
    assert there.baseline["roc_auc"].value == pytest.approx(here.baseline["roc_auc"].value)

    made = release.describe(
        Context(config, "credit", "release"),
        evaluation,
        finished()[1]["features"],
        finished()[1]["dataset"],
        model,
    )
    assert made.model_endpoint == f"{url}#credit-1"
    on_cluster = config.model_copy(update={"profile": "cluster"})
    assert "answers elsewhere" in answers_without(on_cluster, made), "no InferenceService is made for it"
    # The features are those of the shipped twin's own state.
    stores = Context(finished()[0], "credit", "t").stores
    answers = asyncio.run(asked(open_classic(config, stores, made, Instruments(CollectorRegistry()))))
    assert {row["answered_by"] for row in answers} == {"model"}
    assert all(0 < row["probability"] < 1 for row in answers)


async def asked(front: Any) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = await front.answer([Instance(f"A{one:04d}", {}) for one in range(1, 9)])
        return found
    finally:
        front.close()


def numbers(evaluation: Manifest) -> Evaluation:
    return Evaluation.model_validate_json((evaluation.folder / FILE).read_bytes())


def test_a_model_that_does_not_answer_is_not_released(tmp_path: Path) -> None:
    config = pinned(tmp_path, "http://127.0.0.1:9#credit")
    model = trained(config)
    with pytest.raises(PredictorError, match="endpoint failed"):
        evaluated(config, model)


def test_another_address_is_another_model_version(tmp_path: Path) -> None:
    first, second = (trained(pinned(tmp_path, f"http://127.0.0.1:9#{name}")) for name in ("one", "two"))
    assert first.text("model_version") != second.text("model_version")


@pytest.mark.parametrize("wrong", ["http://host", "ftp://host#m", "http://me@host#m", "host#m"])
def test_an_address_without_host_or_model_is_refused(wrong: str) -> None:
    values = finished()[0].twin("credit").model_dump()
    with pytest.raises(ValueError, match="model"):
        ClassicTwin(**{**values, "model": wrong})
