"""A classic model behind KServe's V2 protocol: a real KServe model server on loopback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import environment, free_port
from tests.servers import answers, running

ROOT = Path(__file__).resolve().parents[1]

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


@contextmanager
def serving(model: Path, folder: Path) -> Iterator[str]:
    """Address of a server that answers for the trees in a folder as `credit-1`.

    Args:
        model: Folder of the model.
        folder: Receives script and log.
    """
    port, script = free_port(), folder / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    with running(
        [sys.executable, str(script), str(model), str(port)],
        script.with_suffix(".log"),
        lambda: answers(f"{url}/v2/models/credit-1/ready"),
        env=environment(PYTHONPATH=str(ROOT)),
    ):
        yield url
