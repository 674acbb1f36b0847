"""One release of a classic twin, opened: features by id or from raw columns, probability, points."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.adapters.endpoints.v2 import V2Endpoint
from components.adapters.model_files import local_folder
from components.adapters.stores import Stores
from components.dataflows import boosting, scorecard
from components.runtime import features
from components.serving.classic.instances import Instance
from components.serving.exchange import current, measured
from components.serving.worker import Worker
from components.shared.config import ClassicTwin, Config
from components.shared.endpoints import endpoint
from components.shared.errors import NotFoundError
from components.shared.metrics.instruments import Instruments
from components.shared.releases import Release

if TYPE_CHECKING:
    from xgboost import Booster

    from components.adapters.features.store import Reader
    from components.runtime.dataflow import Plan

Floats = NDArray[np.float64]

#: What can make a prediction.
MODEL, SCORECARD = "model", "scorecard"


@dataclass(frozen=True)
class Parts:
    """The files and stores of one release, opened.

    Attributes:
        release: What they belong to.
        names: Features in the order of the model's columns.
        model: The boosted trees, or where they answer.
        card: The scorecard: points, and the fallback.
        plan: The online dataflow from raw columns to features.
        reader: The newest features by id.
    """

    release: Release
    names: tuple[str, ...]
    model: "Booster | V2Endpoint"
    card: scorecard.Card
    plan: "Plan"
    reader: "Reader"


def open_parts(config: Config, stores: Stores, release: Release) -> Parts:
    """Load what a release names.

    Raises:
        TwinError: A file or a version is gone or cannot be read.
    """
    folder = local_folder(release.model_uri)
    place = endpoint(release.predictor or release.model_endpoint, "release.predictor")
    names = tuple(json.loads((folder / "features.json").read_text(encoding="utf-8"))["features"])
    return Parts(
        release=release,
        names=names,
        model=V2Endpoint(place) if place else boosting.load(folder),
        card=scorecard.load(folder),
        plan=features.plan(config, release.twin, mode="online", features=names),
        reader=stores.features.online(release.feature_version, release.twin),
    )


def open_classic(
    config: Config, stores: Stores, release: Release, instruments: Instruments
) -> "ClassicRelease":
    """Load all that a release names; blocks until it can answer.

    Raises:
        TwinError: A file or a version is gone or cannot be read.
    """
    twin = config.twin(release.twin)
    assert isinstance(twin, ClassicTwin)
    return ClassicRelease(open_parts(config, stores, release), twin.table.key, instruments)


class ClassicRelease:
    """One release that answers; its look-ups and predictions run on threads of their own.

    Args:
        parts: What the release names, opened.
        key: Name of the id column.
        instruments: Where stages are measured.
    """

    def __init__(self, parts: Parts, key: str, instruments: Instruments) -> None:
        self.release = parts.release
        self._parts = parts
        self._key = key
        self._instruments = instruments
        # The booster sees one caller. The scorecard has its own thread: it answers where the booster hangs.
        self._worker = Worker(f"model-{self.release.id}")
        self._simple = Worker(f"scorecard-{self.release.id}")
        # The first look-up and the first prediction are slow; no caller should wait for them.
        self._worker.now(self._warm_up)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Raw columns that its features are made from."""
        return tuple(self._parts.plan.inputs)

    def close(self) -> None:
        """Let the workers end."""
        self._worker.close(wait=False)
        self._simple.close(wait=False)

    async def answer(self, instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """One row an instance, by the model.

        Raises:
            NotFoundError: An id is unknown.
            Exception: Whatever the model raises.
        """
        model = self._parts.model
        if not isinstance(model, V2Endpoint):
            return await self._worker.run(self._answer, instances, MODEL)
        matrix = await self._worker.run(self._matrix, instances)
        with measured(self._instruments, self.release.twin, "predictor"):
            chances = await model.probability(matrix)
        return self._rows(instances, matrix, chances, MODEL)

    async def fall_back(self, instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """One row an instance, by the scorecard.

        Raises:
            NotFoundError: An id is unknown.
        """
        return await self._simple.run(self._answer, instances, SCORECARD)

    def _warm_up(self) -> None:
        self._parts.reader.lookup([""])
        if not isinstance(self._parts.model, V2Endpoint):
            boosting.probability(self._parts.model, np.full((1, len(self._parts.names)), np.nan))

    def _matrix(self, instances: Sequence[Instance]) -> Floats:
        """Features of instances, measured and noted."""
        with measured(self._instruments, self.release.twin, "features"):
            matrix = self._features(instances)
        current().features = matrix
        return matrix

    def _answer(self, instances: Sequence[Instance], by: str) -> list[dict[str, Any]]:
        parts, twin = self._parts, self.release.twin
        matrix = self._matrix(instances)
        if by == MODEL and not isinstance(parts.model, V2Endpoint):
            with measured(self._instruments, twin, "predictor"):
                chances = boosting.probability(parts.model, matrix)
        else:
            with measured(self._instruments, twin, "fallback"):
                chances = scorecard.probability(parts.card, matrix)
        return self._rows(instances, matrix, chances, by)

    def _rows(
        self, instances: Sequence[Instance], matrix: Floats, chances: Floats, by: str
    ) -> list[dict[str, Any]]:
        points = scorecard.points(self._parts.card, matrix)
        return [
            {
                "probability": chance,
                "points": round(point, 1),
                "features_from": "request" if instance.key is None else "store",
                "answered_by": by,
            }
            for chance, point, instance in zip(chances.tolist(), points.tolist(), instances, strict=True)
        ]

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
                    f"no {self._key} {one.key!r}",
                    param=f"instances[{place}].{self._key}",
                    remedy="send an id that was collected, or the raw columns",
                )
            rows.append([_float(values[name]) for name in self._parts.names])
        return np.asarray(rows, dtype=np.float64)


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)
