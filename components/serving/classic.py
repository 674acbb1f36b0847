"""A classic twin as a KServe model: V1 and V2, by id or by raw columns, with the scorecard as fallback."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model
from numpy.typing import NDArray

from components.adapters.registry import local_folder
from components.adapters.stores import Stores
from components.dataflows import boosting, scorecard
from components.runtime import features
from components.serving.exchange import current, measured
from components.serving.instances import Checker, Instance
from components.shared.config import ClassicTwin, Config
from components.shared.errors import NotFoundError, RequestError
from components.shared.metrics import FALLBACKS, Instruments
from components.shared.releases import Release

if TYPE_CHECKING:
    from xgboost import Booster

    from components.adapters.features import Reader
    from components.runtime.dataflow import Plan

Floats = NDArray[np.float64]

log = logging.getLogger("twinstack.serving")

#: Tensor types of V2 by column type, where clients are told what to send.
DATATYPES = {"text": "BYTES", "integer": "INT64", "number": "FP64"}

FALLBACK = "fallback"


@dataclass(frozen=True)
class Parts:
    """The files and stores of one release, opened.

    Attributes:
        release: What they belong to.
        names: Features in the order of the model's columns.
        model: The boosted trees.
        card: The scorecard: points, and the fallback.
        plan: The online dataflow from raw columns to features.
        reader: The newest features by id.
    """

    release: Release
    names: tuple[str, ...]
    model: "Booster"
    card: scorecard.Card
    plan: "Plan"
    reader: "Reader"


def open_parts(config: Config, stores: Stores, release: Release) -> Parts:
    """Load what a release names.

    Raises:
        TwinError: A file or a version is gone or cannot be read.
    """
    folder = local_folder(release.model_uri)
    names = tuple(json.loads((folder / "features.json").read_text(encoding="utf-8"))["features"])
    return Parts(
        release=release,
        names=names,
        model=boosting.load(folder),
        card=scorecard.load(folder),
        plan=features.plan(config, release.twin, mode="online", features=names),
        reader=stores.features.online(release.feature_version, release.twin),
    )


@dataclass(frozen=True)
class Answers:
    """Predictions of one request, one row an instance, and how V2 has to name it."""

    rows: list[dict[str, Any]]
    request: InferRequest | None


class ClassicFront(Model):  # type: ignore[misc]
    """Checks instances, gets their features, predicts.

    Args:
        config: Its limits and the twin's declared columns.
        parts: The release that answers.
        instruments: Where stages are measured.
    """

    def __init__(self, config: Config, parts: Parts, instruments: Instruments) -> None:
        super().__init__(parts.release.twin)
        twin = config.twin(self.name)
        assert isinstance(twin, ClassicTwin)
        self._table = twin.table
        self._parts = parts
        self._checker = Checker(twin.table, parts.plan.inputs, config.serving.max_instances)
        self._instruments = instruments
        # One thread: SQLite connections and the booster see one caller, and the event loop stays free.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"classic-{self.name}")
        # The first look-up and the first prediction are slow; no caller should wait for them.
        self._worker.submit(self._warm_up).result()
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        """Tensors of V2: the key, or the raw columns."""
        columns = {self._table.key: "BYTES"}
        columns |= {name: DATATYPES[self._table.columns[name].type] for name in self._parts.plan.inputs}
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
        current().answered_by(self.name, self._parts.release.id)
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
        loop = asyncio.get_running_loop()
        rows, fell_back = await loop.run_in_executor(self._worker, self._answer, instances)
        if fell_back:
            current().role = FALLBACK
            self._instruments.add(FALLBACKS, 1, self.name, self._parts.release.id)
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
        return InferResponse(response_id, self.name, outputs, model_version=self._parts.release.model_version)

    def stop(self) -> None:
        """Let the worker end."""
        self.ready = False
        self._worker.shutdown(wait=False)

    def _warm_up(self) -> None:
        self._parts.reader.lookup([""])
        boosting.probability(self._parts.model, np.full((1, len(self._parts.names)), np.nan))

    def _answer(self, instances: Sequence[Instance]) -> tuple[list[dict[str, Any]], bool]:
        """Predictions, and whether the fallback made them."""
        parts, twin = self._parts, self.name
        with measured(self._instruments, twin, "features"):
            matrix = self._features(instances)
        fell_back = False
        try:
            with measured(self._instruments, twin, "predictor"):
                chances = boosting.probability(parts.model, matrix)
        except Exception as error:  # whatever the model raises, the caller gets an answer
            log.error("model of release %s failed: %s; the scorecard answers", parts.release.id, error)
            fell_back = True
            with measured(self._instruments, twin, "fallback"):
                chances = scorecard.probability(parts.card, matrix)
        points = scorecard.points(parts.card, matrix)
        by = "scorecard" if fell_back else "model"
        return [
            {
                "probability": chance,
                "points": round(point, 1),
                "features_from": "request" if instance.key is None else "store",
                "answered_by": by,
            }
            for chance, point, instance in zip(chances.tolist(), points.tolist(), instances, strict=True)
        ], fell_back

    def _features(self, instances: Sequence[Instance]) -> Floats:
        """Shape (instances, features), NaN where a value is missing."""
        keys = [one.key for one in instances if one.key is not None]
        found = iter(self._parts.reader.lookup(keys))
        rows: list[list[float]] = []
        for place, one in enumerate(instances):
            values: Mapping[str, Any] | None
            values = self._parts.plan.run(one.values) if one.key is None else next(found)
            if values is None:
                raise NotFoundError(
                    f"no {self._table.key} {one.key!r}",
                    param=f"instances[{place}].{self._table.key}",
                    remedy="send an id that was collected, or the raw columns",
                )
            rows.append([_float(values[name]) for name in self._parts.names])
        return np.asarray(rows, dtype=np.float64)


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


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
