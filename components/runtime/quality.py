"""Predictions of a release joined to the labels that have come since; the result, in the warehouse."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np

from components.adapters.warehouse.contract import Span, Warehouse
from components.dataflows.intervals import Floats
from components.dataflows.outcomes import UnknownClassError, positive
from components.dataflows.quality import Quality, quality
from components.shared.config import ClassicTwin
from components.shared.config.classic import Table
from components.shared.evaluation import Measure
from components.shared.interactions import INTERACTIONS, LABELS, id_at
from components.shared.releases import Release

#: Warehouse collection: the last numbers a release.
RESULTS = "quality_results"

#: Requests whose labels are looked up together.
BATCH = 500

#: Request, place of the instance, probability.
Prediction = tuple[str, int, float]


def matured(warehouse: Warehouse, release: Release, twin: ClassicTwin, now: datetime) -> Quality | None:
    """Quality of the newest predictions of a release that are old enough to have their labels.

    Args:
        warehouse: Holds interactions and labels.
        release: Whose predictions.
        twin: Its window, its positive outcome and its intervals.
        now: The time.

    Returns:
        None where no prediction is old enough.
    """
    before = now - timedelta(seconds=twin.monitor.label_delay_seconds)
    newest = list(islice(_newest(warehouse, release, before), twin.monitor.window_rows))[::-1]
    if not newest:
        return None
    labels = _outcomes(warehouse, release.twin, twin.table, newest)
    scores = np.array([score for *_, score in newest])
    return quality(labels, scores, level=twin.intervals, rounds=twin.bootstrap_rounds, seed=twin.seed)


def _newest(warehouse: Warehouse, release: Release, before: datetime) -> Iterator[Prediction]:
    """Predictions of a release, from some time back to its beginning."""
    span = Span(id_at(datetime.fromisoformat(release.created)), id_at(before), backwards=True)
    for found in warehouse.scan(INTERACTIONS, span, twin=release.twin):
        body = found["body"]
        if body["release"] == release.id and not body["paired"]:
            yield from reversed(_predictions(body))


def _predictions(body: dict[str, Any]) -> list[Prediction]:
    """What the model answered; redacted outputs hold no probability."""
    rows = body["output"] if body["answered"] == "model" and isinstance(body["output"], list) else []
    return [
        (body["request_id"], place, float(row["probability"]))
        for place, row in enumerate(rows)
        if isinstance(row, dict) and "probability" in row
    ]


def _outcomes(warehouse: Warehouse, name: str, table: Table, rows: Sequence[Prediction]) -> Floats:
    """1 for the positive outcome, 0 for any other; NaN where there is no label, or one of no known class."""
    requests = iter(dict.fromkeys(request for request, *_ in rows))
    found: dict[tuple[str, int], float] = {}
    while batch := list(islice(requests, BATCH)):
        for one in warehouse.scan(LABELS, twin=name, source=batch):
            body = one["body"]
            with suppress(UnknownClassError):  # from before such labels were refused, or of other classes
                hit = positive(table, body["value"])
                found[body["request_id"], int(body.get("instance", 0))] = float(hit)
    return np.array([found.get((request, place), np.nan) for request, place, _ in rows])


def store(warehouse: Warehouse, twin: str, release: str, found: Quality, at: datetime) -> None:
    """Keep the numbers, for the fronts to show."""
    body = {
        "at": at.isoformat(),
        "rows": found.rows,
        "labelled": found.labelled,
        "measures": {name: one.model_dump(mode="json") for name, one in found.measures.items()},
    }
    warehouse.apply({RESULTS: ([{"_id": release, "twin": twin, "body": body}], ())})


def newest(warehouse: Warehouse, release: str) -> Quality | None:
    """The last numbers of a release."""
    found = warehouse.get(RESULTS, release)
    if found is None:
        return None
    body = found["body"]
    measures = {name: Measure.model_validate(one) for name, one in body["measures"].items()}
    return Quality(body["rows"], body["labelled"], measures)
