"""A classic release whose model answers elsewhere: a real KServe model server on loopback."""

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from components.adapters.endpoints.v2 import V2Endpoint
from components.adapters.model_files import local_folder
from components.dataflows import boosting
from components.runtime.context import Context
from components.serving.classic.instances import Instance
from components.serving.classic.release import open_classic
from components.shared.endpoints import Endpoint
from components.shared.generation import PredictorError
from components.shared.metrics.instruments import Instruments
from tests.v2_server import serving


@pytest.fixture(scope="module")
def served_elsewhere(released: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the model server."""
    _, _, credit, _ = released
    with serving(local_folder(credit.model_uri), tmp_path_factory.mktemp("v2")) as url:
        yield url


def test_a_release_answers_the_same_by_its_predictor(released: Any, served_elsewhere: str) -> None:
    _, config, credit, _ = released
    stores, instruments = Context(config, "credit", "t").stores, Instruments(CollectorRegistry())
    away = credit.model_copy(update={"predictor": f"{served_elsewhere}#credit-1"})
    here, there = (open_classic(config, stores, one, instruments) for one in (credit, away))
    asked = [Instance(f"A{number:04d}", {}) for number in range(1, 40)]

    async def both() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        return await here.answer(asked), await there.answer(asked)

    mine, theirs = asyncio.run(both())
    here.close()
    there.close()
    for one, other in zip(mine, theirs, strict=True):
        assert other["probability"] == pytest.approx(one["probability"], abs=1e-5)
        assert {**other, "probability": 0} == {**one, "probability": 0}


def test_missing_values_travel(released: Any, served_elsewhere: str) -> None:
    _, _, credit, _ = released
    model = boosting.load(local_folder(credit.model_uri))
    matrix = np.full((3, model.num_features()), np.nan)
    found = asyncio.run(V2Endpoint(Endpoint(served_elsewhere, "credit-1")).probability(matrix))
    assert found == pytest.approx(boosting.probability(model, matrix), abs=1e-5)


@pytest.mark.parametrize("model", ["nobody", "wrong"])
def test_no_model_and_no_probabilities_are_errors(served_elsewhere: str, released: Any, model: str) -> None:
    trees = boosting.load(local_folder(released[2].model_uri))
    with pytest.raises(PredictorError):
        asyncio.run(
            V2Endpoint(Endpoint(served_elsewhere, model)).probability(np.zeros((1, trees.num_features())))
        )


def test_a_server_that_is_away_is_an_error_of_the_predictor() -> None:
    with pytest.raises(PredictorError, match="endpoint failed"):
        asyncio.run(V2Endpoint(Endpoint("http://127.0.0.1:9", "m")).probability(np.zeros((1, 2))))
