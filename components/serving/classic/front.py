"""A classic twin as a KServe model: V1 and V2, by id or by raw columns."""

from dataclasses import dataclass
from typing import Any

import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model

from components.serving.classic.instances import Checker, Instance
from components.serving.classic.release import SCORECARD, ClassicRelease
from components.serving.exchange import current
from components.serving.traffic.attempts import Choice
from components.serving.traffic.manager import Manager
from components.shared.config import ClassicTwin, Config
from components.shared.errors import RequestError

#: Tensor types of V2 by column type, where clients are told what to send.
DATATYPES = {"text": "BYTES", "integer": "INT64", "number": "FP64"}


@dataclass(frozen=True)
class Question:
    """A checked request.

    Attributes:
        instances: What to predict for.
        request: How V2 has to name the answer; None in V1.
        choice: The release it belongs to.
    """

    instances: list[Instance]
    request: InferRequest | None
    choice: Choice[ClassicRelease]


@dataclass(frozen=True)
class Answers:
    """Predictions of one request, one row an instance; how V2 has to name it, and the model version."""

    rows: list[dict[str, Any]]
    request: InferRequest | None
    version: str


class ClassicFront(Model):  # type: ignore[misc]
    """Checks instances, lets a release of the traffic predict.

    Args:
        config: Its limits and the twin's declared columns.
        manager: Decides which release answers.
    """

    def __init__(self, config: Config, manager: Manager[ClassicRelease]) -> None:
        super().__init__(manager.twin)
        twin = config.twin(self.name)
        assert isinstance(twin, ClassicTwin)
        self._table = twin.table
        self._most = config.serving.max_instances
        self.manager = manager
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        """Tensors of V2: the key, or the raw columns that the champion reads."""
        columns = {self._table.key: "BYTES"}
        inputs = self.manager.fleet.champion.inputs
        columns |= {name: DATATYPES[self._table.columns[name].type] for name in inputs}
        return [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in columns.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Tensors of a V2 answer."""
        kinds = {"probability": "FP64", "points": "FP64", "features_from": "BYTES", "answered_by": "BYTES"}
        return [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in kinds.items()]

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> Question:
        """Wait for the request's turn and check it, in V1 or V2.

        Raises:
            RequestError: A field is wrong; it is named with its value and what is allowed.
            BusyError: Too many requests wait already.
        """
        choice = await self.manager.admit()
        checker = Checker(self._table, choice.opened.inputs, self._most)
        if isinstance(payload, InferRequest):
            self._wanted(payload)
            return Question(checker.all(_rows(payload)), payload, choice)
        if isinstance(payload, bytes):  # KServe decodes JSON only under some content types
            try:
                payload = orjson.loads(payload)
            except orjson.JSONDecodeError as error:
                raise RequestError(f"the body is not JSON: {error}", param="body") from error
        return Question(checker.body(payload), None, choice)

    async def predict(
        self,
        payload: Question,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> Answers:
        """Predict for checked instances, by a release or its fallback.

        Raises:
            NotFoundError: An id is unknown.
            PredictorError: The model gives no answer, and the traffic has no fallback.
        """
        instances, exchange = payload.instances, current()
        exchange.inputs = [one.said(self._table.key) for one in instances]

        async def ask(opened: ClassicRelease) -> Answers:
            rows = await opened.answer(instances)
            return Answers(rows, payload.request, opened.release.model_version)

        async def fall_back(opened: ClassicRelease) -> Answers:
            rows = await opened.fall_back(instances)
            return Answers(rows, payload.request, opened.release.model_version)

        answers = await self.manager.attempts.run(payload.choice, ask, (SCORECARD, fall_back))
        exchange.output = answers.rows
        self.manager.shadow.offer(lambda opened: self._shadowed(opened, instances))
        return answers

    async def _shadowed(self, opened: ClassicRelease, instances: list[Instance]) -> None:
        """The shadow's answer; what it may lack of the columns is its failure, not the caller's."""
        exchange = current()
        exchange.inputs = [one.said(self._table.key) for one in instances]
        exchange.output = await opened.answer(instances)

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
        for kind in self._wanted(result.request):
            tensor = InferOutput(kind["name"], [len(result.rows)], kind["datatype"])
            tensor.data = [row[kind["name"]] for row in result.rows]
            outputs.append(tensor)
        response_id = result.request.id or current().request_id
        return InferResponse(response_id, self.name, outputs, model_version=result.version)

    def _wanted(self, request: InferRequest) -> list[dict[str, Any]]:
        """The tensors that a V2 request names; all where it names none.

        Raises:
            RequestError: One does not exist.
        """
        kinds = {kind["name"]: kind for kind in self.get_output_types()}
        names = [one.name for one in request.request_outputs or ()]
        if unknown := [name for name in names if name not in kinds]:
            raise RequestError(
                f"there is no output '{str(unknown[0])[:60]}'",
                param="outputs",
                remedy=f"use {', '.join(kinds)}, or name none",
            )
        return [kinds[name] for name in names or kinds]

    def stop(self) -> None:
        """Answer no more."""
        self.ready = False
        self.manager.close()


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
    return [_text(one, place) if isinstance(one, bytes | str) else one for one in values]


def _list(data: Any, tensor: InferInput) -> list[Any]:
    """Binary tensors arrive as arrays, and texts in them as bytes."""
    if isinstance(data, list):
        return data
    found: list[Any] = tensor.as_numpy().reshape(-1).tolist()
    return found


def _text(value: bytes | str, place: str) -> str:
    try:
        # JSON's escapes can say half a surrogate pair, which is no text.
        raw = value.encode("utf-8") if isinstance(value, str) else value
        return raw.decode("utf-8")
    except UnicodeError as error:
        raise RequestError(f"{place} is not UTF-8", param=place) from error
