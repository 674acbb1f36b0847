"""What `twin labels add` stores is what `monitor` counts."""

from datetime import UTC, datetime
from pathlib import Path

from components.adapters.warehouse.contract import Warehouse
from components.runtime import quality
from components.runtime.history import labels
from components.shared.config import load
from components.shared.interactions import Label
from tests.components.runtime.history.conftest import answered
from tests.components.samples import classic_twin, release

ROOT = Path(__file__).resolve().parents[4]


def test_added_labels_join_the_predictions_they_are_about(warehouse: Warehouse) -> None:
    twin = classic_twin(load(ROOT / "twinstack.yaml"))
    for number in range(20):
        rows = [{"probability": 0.2}, {"probability": 0.9}]
        answered(warehouse, number, twin="credit", kind="classic", route="predict_v1", output=rows)
    given = [
        Label(
            request_id=f"r{number}",
            twin="credit",
            instance=place,
            value=value,
            event_time="2026-02-01T00:00:00+00:00",
        )
        for number in range(15)
        for place, value in ((0, "good"), (1, "bad"))
    ]
    assert labels.add(warehouse, given)["without_interaction"] == 0
    answering = release("rel", twin="credit", created="2025-12-31T00:00:00+00:00")
    found = quality.matured(warehouse, answering, twin, datetime(2027, 1, 1, tzinfo=UTC))
    assert found is not None
    assert (found.rows, found.labelled) == (40, 30)
    assert found.measures["roc_auc"].value == 1.0
