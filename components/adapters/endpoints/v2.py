"""A classic model behind KServe's V2 protocol: features in, probabilities out."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.shared.endpoints import Endpoint
from components.shared.generation import PredictorError, PredictorLateError

if TYPE_CHECKING:
    from kserve import InferenceRESTClient

Floats = NDArray[np.float64]

#: Seconds of one prediction, connecting included.
TIMEOUT = 10.0

#: Rows of one request where many are asked for.
ROWS = 1_000

#: Name of the one tensor; KServe's runtimes of one input take any.
INPUT = "input-0"


class V2Endpoint:
    """A model of an InferenceService, asked from one event loop.

    Args:
        endpoint: Where, and the model's name there.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._opened: InferenceRESTClient | None = None

    def _client(self) -> "InferenceRESTClient":
        from kserve import InferenceRESTClient
        from kserve.inference_client import RESTConfig

        if self._opened is None:
            self._opened = InferenceRESTClient(RESTConfig(protocol="v2", timeout=TIMEOUT, retries=0))
        return self._opened

    async def probability(self, matrix: Floats) -> Floats:
        """The probability of the positive outcome, shape (rows,).

        Values travel as raw float32, because JSON has no word for a missing one.

        Args:
            matrix: Shape (rows, features), NaN where a value is missing.

        Raises:
            PredictorError: It does not answer, or not with one probability a row.
            PredictorLateError: It does not answer in time.
        """
        import httpx
        from kserve import InferInput, InferRequest

        tensor = InferInput(INPUT, list(matrix.shape), "FP32")
        tensor.set_data_from_numpy(matrix.astype(np.float32), binary_data=True)
        request = InferRequest(self._endpoint.model, [tensor])
        try:
            answer = await self._client().infer(self._endpoint.base, request, model_name=self._endpoint.model)
            return _probabilities(answer, len(matrix))
        except PredictorError:
            raise
        except (TimeoutError, httpx.TimeoutException):
            raise PredictorLateError(
                f"the model's endpoint gave no answer in {TIMEOUT:g} s", remedy="try again later"
            ) from None
        except Exception as error:  # httpx's, kserve's, and those of a body that is no V2
            raise PredictorError(
                f"the model's endpoint failed: {type(error).__name__}", remedy="try again"
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()


@contextmanager
def opened(endpoint: Endpoint) -> Iterator[Callable[[Floats], Floats]]:
    """A model asked by code without an event loop, over a connection that is kept.

    It takes any number of rows, shape (rows, features), asks for some at a time, gives shape (rows,), and
    raises what `V2Endpoint.probability` does.

    Args:
        endpoint: Where, and the model's name there.
    """
    client = V2Endpoint(endpoint)

    async def ask(matrix: Floats) -> Floats:
        parts = [matrix[start : start + ROWS] for start in range(0, len(matrix), ROWS)]
        return np.concatenate([await client.probability(part) for part in parts])

    with asyncio.Runner() as runner:
        try:
            yield lambda matrix: runner.run(ask(matrix))
        finally:
            runner.run(client.close())


def _probabilities(answer: Any, rows: int) -> Floats:
    """Of one column the column, of two, one a class, the second."""
    found = np.asarray(answer.outputs[0].as_numpy(), dtype=np.float64)
    values = found.reshape(rows, -1)[:, -1] if found.size and found.size % rows == 0 else found
    if values.shape != (rows,) or not ((values >= 0) & (values <= 1)).all():
        raise PredictorError("the model's endpoint answers with something else than probabilities")
    return values
