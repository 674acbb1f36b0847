"""A classic release whose model answers elsewhere: a real KServe model server on loopback."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from components.adapters.model_files import local_folder
from components.adapters.v2_endpoint import V2Endpoint
from components.dataflows import boosting
from components.runtime.context import Context
from components.serving.classic_release import open_classic
from components.serving.instances import Instance
from components.shared.endpoints import Endpoint
from components.shared.generation import PredictorError
from components.shared.metrics.instruments import Instruments
from tests.conftest import environment, free_port
from tests.servers import answers, running

ROOT = Path(__file__).resolve().parents[3]

#: What KServe's xgboost runtime does: a matrix of float32 in, what the booster predicts out.
SERVER = """
import sys
from kserve import InferOutput, InferResponse, Model, ModelServer
from components.dataflows import boosting
from pathlib import Path

folder, port = Path(sys.argv[1]), int(sys.argv[2])
sys.argv = sys.argv[:1]


class Trees(Model):
    def __init__(self, name, flipped):
        super().__init__(name)
        self.model, self.flipped, self.ready = boosting.load(folder), flipped, True

    async def predict(self, payload, headers=None, response_headers=None):
        matrix = payload.inputs[0].as_numpy()
        assert matrix.dtype == "float32"
        found = boosting.probability(self.model, matrix.astype("float64"))
        if self.flipped:
            found = found * 100
        output = InferOutput("output-0", list(found.shape), "FP64")
        output.set_data_from_numpy(found, binary_data=False)
        return InferResponse("1", self.name, [output])


import kserve.model_server

server = ModelServer(http_port=port, enable_grpc=False, workers=1)
server.start([Trees("credit-1", False), Trees("wrong", True)])
"""


@pytest.fixture(scope="module")
def served_elsewhere(released: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the model server."""
    _, _, credit, _ = released
    port, script = free_port(), tmp_path_factory.mktemp("v2") / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(script), str(local_folder(credit.model_uri)), str(port)]
    with running(
        command,
        script.with_suffix(".log"),
        lambda: answers(f"{url}/v2/models/credit-1/ready"),
        env=environment(PYTHONPATH=str(ROOT)),
    ):
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
