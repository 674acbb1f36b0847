"""Predictions of a release joined to the labels that have come since; the result, in the warehouse."""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from components.adapters.warehouse import Warehouse
from components.dataflows.quality import Quality, quality
from components.shared.config import ClassicTwin
from components.shared.evaluation import Measure
from components.shared.interactions import INTERACTIONS

#: Warehouse collections: labels by interaction, and the last numbers a release.
LABELS = "labels"
RESULTS = "quality_results"

Outcomes = dict[tuple[str, int], float]


def matured(
    warehouse: Warehouse, release: str, name: str, twin: ClassicTwin, now: datetime
) -> Quality | None:
    """Quality of the newest predictions of a release that are old enough to have their labels.

    Args:
        warehouse: Holds interactions and labels.
        release: Whose predictions.
        name: Of the twin.
        twin: Its window, its positive outcome and its intervals.
        now: The time.

    Returns:
        None where no prediction is old enough.
    """
    before = (now - timedelta(seconds=twin.monitor.label_delay_seconds)).isoformat()
    newest: deque[tuple[str, int, float]] = deque(maxlen=twin.monitor.window_rows)
    for found in warehouse.scan(INTERACTIONS, twin=name):
        body = found["body"]
        if body["release"] == release and not body["paired"] and body["at"] <= before:
            newest.extend(_predictions(body))
    if not newest:
        return None
    outcomes = _outcomes(warehouse, name, twin.table.positive)
    labels = np.array([outcomes.get((request, place), np.nan) for request, place, _ in newest])
    scores = np.array([score for *_, score in newest])
    return quality(labels, scores, level=twin.intervals, rounds=twin.bootstrap_rounds, seed=twin.seed)


def _predictions(body: dict[str, Any]) -> list[tuple[str, int, float]]:
    """Request, place and probability of what the model answered; redacted outputs hold none."""
    rows = body["output"] if body["answered"] == "model" and isinstance(body["output"], list) else []
    return [
        (body["request_id"], place, float(row["probability"]))
        for place, row in enumerate(rows)
        if isinstance(row, dict) and "probability" in row
    ]


def _outcomes(warehouse: Warehouse, name: str, positive: str) -> Outcomes:
    """1 for the positive outcome, given by its name or as the number 1; 0 for any other."""
    found: Outcomes = {}
    for one in warehouse.scan(LABELS, twin=name):
        body = one["body"]
        value = body["value"]
        hit = value == positive or value in (1, "1")
        found[body["request_id"], int(body.get("instance", 0))] = float(hit)
    return found


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
