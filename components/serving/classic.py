"""A classic twin as a KServe model: V1 and V2, by id or by raw columns, with the scorecard as fallback."""

from dataclasses import dataclass
from typing import Any

import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model

from components.serving.classic_release import ClassicRelease
from components.serving.exchange import current
from components.serving.instances import Checker, Instance
from components.shared.config import ClassicTwin, Config
from components.shared.errors import RequestError
from components.shared.metrics import FALLBACKS, Instruments

#: Tensor types of V2 by column type, where clients are told what to send.
DATATYPES = {"text": "BYTES", "integer": "INT64", "number": "FP64"}

FALLBACK = "fallback"


@dataclass(frozen=True)
class Answers:
    """Predictions of one request, one row an instance, and how V2 has to name it."""

    rows: list[dict[str, Any]]
    request: InferRequest | None


class ClassicFront(Model):  # type: ignore[misc]
    """Checks instances, gets their features, predicts.

    Args:
        config: Its limits and the twin's declared columns.
        champion: The release that answers.
        instruments: Where fallbacks are counted.
    """

    def __init__(self, config: Config, champion: ClassicRelease, instruments: Instruments) -> None:
        super().__init__(champion.release.twin)
        twin = config.twin(self.name)
        assert isinstance(twin, ClassicTwin)
        self._table = twin.table
        self._champion = champion
        self._checker = Checker(twin.table, champion.inputs, config.serving.max_instances)
        self._instruments = instruments
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        """Tensors of V2: the key, or the raw columns."""
        columns = {self._table.key: "BYTES"}
        columns |= {name: DATATYPES[self._table.columns[name].type] for name in self._champion.inputs}
        return [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in columns.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Tensors of a V2 answer."""
        kinds = {"probability": "FP64", "points": "FP64", "features_from": "BYTES", "answered_by": "BYTES"}
        return [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in kinds.items()]

    async def preprocess(
        self, payload: Any, headers: dict[str, str] | None = None
    ) -> tuple[list[Instance], InferRequest | None]:
        """Check a V1 or V2 request.

        Raises:
            RequestError: A field is wrong; it is named with its value and what is allowed.
        """
        current().answered_by(self.name, self._champion.release.id)
        if isinstance(payload, InferRequest):
            return self._checker.all(_rows(payload)), payload
        if isinstance(payload, bytes):  # KServe decodes JSON only under some content types
            try:
                payload = orjson.loads(payload)
            except orjson.JSONDecodeError as error:
                raise RequestError(f"the body is not JSON: {error}", param="body") from error
        return self._checker.body(payload), None

    async def predict(
        self,
        payload: tuple[list[Instance], InferRequest | None],
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> Answers:
        """Predict for checked instances.

        Raises:
            NotFoundError: An id is unknown.
        """
        instances, request = payload
        exchange = current()
        exchange.inputs = [{self._table.key: one.key} if one.key else dict(one.values) for one in instances]
        rows, fell_back = await self._champion.answer(instances)
        exchange.output = rows
        if fell_back:
            exchange.role, exchange.answered = FALLBACK, rows[0]["answered_by"]
            self._instruments.add(FALLBACKS, 1, self.name, self._champion.release.id)
        return Answers(rows, request)

    async def postprocess(
        self,
        result: Answers,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> dict[str, Any] | InferResponse:
        """Answer in the protocol of the question."""
        if result.request is None:
            return {"predictions": result.rows}
        outputs = []
        for kind in self.get_output_types():
            tensor = InferOutput(kind["name"], [len(result.rows)], kind["datatype"])
            tensor.data = [row[kind["name"]] for row in result.rows]
            outputs.append(tensor)
        response_id = result.request.id or current().request_id
        return InferResponse(
            response_id, self.name, outputs, model_version=self._champion.release.model_version
        )

    def stop(self) -> None:
        """Answer no more."""
        self.ready = False
        self._champion.close()


def _rows(request: InferRequest) -> list[dict[str, Any]]:
    """The instances of a V2 request: one tensor a column, all of one length.

    Raises:
        RequestError: Shapes do not fit.
    """
    columns: dict[str, list[Any]] = {}
    for tensor in request.inputs:
        if tensor.name in columns:
            raise RequestError(f"input '{tensor.name[:60]}' comes twice", param="inputs")
        columns[tensor.name] = _column(tensor)
    lengths = {name: len(values) for name, values in columns.items()}
    if not columns or len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise RequestError(
            "inputs do not have one common length above 0",
            param="inputs",
            remedy="give every column one value an instance",
        )
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _column(tensor: InferInput) -> list[Any]:
    """Values of a tensor of shape [n] or [n, 1]."""
    place = f"inputs.{tensor.name[:60]}"
    if tensor.datatype not in ("BYTES", "FP64", "FP32", "INT64", "INT32"):
        raise RequestError(
            f"{place} has datatype '{str(tensor.datatype)[:20]}'; allowed: BYTES, FP64, FP32, INT64, INT32",
            param=place,
        )
    shape = list(tensor.shape)
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):  # noqa: PLR2004
        raise RequestError(f"{place} has shape {shape[:8]}; allowed: [n] or [n, 1]", param=place)
    data = tensor.data
    values = [one[0] if isinstance(one, list) and len(one) == 1 else one for one in _list(data, tensor)]
    if len(values) != shape[0]:
        raise RequestError(f"{place} has {len(values)} values, its shape says {shape[0]}", param=place)
    return [_text(one, place) if isinstance(one, bytes) else one for one in values]


def _list(data: Any, tensor: InferInput) -> list[Any]:
    """Binary tensors arrive as arrays, and texts in them as bytes."""
    if isinstance(data, list):
        return data
    found: list[Any] = tensor.as_numpy().reshape(-1).tolist()
    return found


def _text(value: bytes, place: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"{place} is not UTF-8", param=place) from error
