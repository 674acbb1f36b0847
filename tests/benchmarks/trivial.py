"""A classic twin that has nothing to compute, behind our front, or a bare KServe model with the same answer.

`python -m tests.benchmarks.trivial front PORT` or `… bare PORT`; run by `tests.benchmarks.concurrency`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.serving.rest import listen, quiet_arguments
from components.serving.server import _start
from components.serving.stopping import Stopping
from components.shared.config import load
from components.shared.metrics.instruments import Instruments

ROWS = [{"probability": 0.5, "points": 600.0, "features_from": "store", "answered_by": "model"}]


def bare(port: int) -> None:
    """KServe alone, without its timing middleware's log."""
    with quiet_arguments():
        from kserve import Model, ModelServer

    class Trivial(Model):  # type: ignore[misc]
        async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
            return {"predictions": ROWS}

    model = Trivial("credit")
    model.ready = True
    ModelServer(http_port=port, enable_grpc=False, enable_latency_logging=False).start([model])


def front(port: int, folder: Path) -> None:
    """Everything of ours but the release."""
    from components.adapters.warehouse.sqlite import SqliteWarehouse
    from components.runtime import champion
    from components.runtime.keys import Keys
    from components.serving.classic.front import ClassicFront
    from components.serving.limits.access import Access
    from components.serving.traffic.manager import manager
    from components.shared.evaluation import Evaluation
    from components.shared.releases import Release

    config = load(Path("twinstack.yaml"))
    numbers = Evaluation(twin="credit", cases=0, cases_version="", level=0.95, candidate={}, baseline_name="")
    made = Release(
        id="trivial", twin="credit", kind="classic", model_version="1", model_uri="", dataset_version="",
        commit="", dirty=True, trained_on="", evaluation=numbers, created="",
    )  # fmt: skip

    class Trivial:
        release = made
        inputs = ()

        async def answer(self, instances: Sequence[Any]) -> list[dict[str, Any]]:
            return ROWS

        def close(self) -> None:
            """Nothing is open."""

    warehouse, instruments = SqliteWarehouse(folder / "w.db"), Instruments()
    now = champion.promote(warehouse, made)
    keeper: Any = manager(
        warehouse, "credit", "classic", lambda _: Trivial(), config.serving, (), instruments
    )
    keeper.fleet.start(now)
    bound = listen("127.0.0.1", port)
    with quiet_arguments():
        fronts = {"credit": ClassicFront(config, keeper)}
        access = Access(Keys(config), instruments)
        stopping = Stopping()
        with stopping.taken():
            _start(config, bound, fronts, instruments, (), access, None, f"http://127.0.0.1:{port}", stopping)
    keeper.close()


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        bare(int(sys.argv[2]))
    else:
        front(int(sys.argv[2]), Path(sys.argv[3]))
