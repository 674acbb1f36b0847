"""Labels that came late join the predictions they belong to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.dataflows.quality import Quality
from components.runtime import quality
from components.shared.config import ClassicTwin, load
from components.shared.interactions import INTERACTIONS, LABELS, id_at
from tests.components.samples import classic_twin, release

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> SqliteWarehouse:
    return SqliteWarehouse(tmp_path / "warehouse.db")


def twin() -> ClassicTwin:
    return classic_twin(load(ROOT / "twinstack.yaml")).model_copy(update={"bootstrap_rounds": 100})


def answer(number: int, at: str = "2026-01-01T00:00:00+00:00", **more: Any) -> dict[str, Any]:
    """Two instances, of which the riskier is the second."""
    body = {
        "request_id": f"q{number}", "at": at, "release": "r1", "paired": "", "answered": "model",
        "output": [{"probability": 0.2}, {"probability": 0.9}],
    }  # fmt: skip
    key = f"{id_at(datetime.fromisoformat(at))}{number:020x}"
    return {"_id": key, "twin": "credit", "source": f"q{number}", "body": {**body, **more}}


def label(number: int, instance: int, value: Any) -> dict[str, Any]:
    body = {"request_id": f"q{number}", "instance": instance, "value": value}
    return {"_id": f"q{number}/{instance}", "twin": "credit", "source": f"q{number}", "body": body}


def fill(warehouse: SqliteWarehouse, answers: list[dict[str, Any]], labels: list[dict[str, Any]]) -> None:
    warehouse.apply({INTERACTIONS: (answers, ()), LABELS: (labels, ())})


def matured(warehouse: SqliteWarehouse) -> Quality | None:
    answering = release("r1", twin="credit", created="2025-12-01T00:00:00+00:00")
    return quality.matured(warehouse, answering, twin(), NOW)


def test_labels_join_by_request_and_instance(warehouse: SqliteWarehouse) -> None:
    labels = [label(number, 0, "good") for number in range(40)]
    labels += [label(number, 1, "bad" if number % 2 else 1) for number in range(20)]
    fill(warehouse, [answer(number) for number in range(50)], labels)
    found = matured(warehouse)
    assert found is not None
    assert (found.rows, found.labelled) == (100, 60)
    assert found.measures["roc_auc"].value == 1.0
    assert found.measures["accuracy"].value == 1.0
    quality.store(warehouse, "credit", "r1", found, NOW)
    assert quality.newest(warehouse, "r1") == found


def test_a_label_of_no_known_class_is_no_label(warehouse: SqliteWarehouse) -> None:
    values = ["good", "bad", "god", 2.0, "Bad", 0]
    fill(
        warehouse,
        [answer(number) for number in range(6)],
        [label(at, 0, one) for at, one in enumerate(values)],
    )
    found = matured(warehouse)
    assert found is not None
    assert (found.rows, found.labelled) == (12, 3)


def test_what_is_young_or_another_release_or_no_answer_of_the_model_does_not_count(
    warehouse: SqliteWarehouse,
) -> None:
    left_out = [
        answer(1, at="2026-01-09T12:00:00+00:00"),
        answer(2, release="r2"),
        answer(3, answered="scorecard"),
        answer(4, paired="i0001"),
        answer(5, output="redacted"),
        answer(6, output=None),
    ]
    fill(warehouse, left_out, [])
    assert matured(warehouse) is None
    fill(warehouse, [answer(7)], [])
    found = matured(warehouse)
    assert found is not None
    assert (found.rows, found.labelled, found.measures) == (2, 0, {})


def test_of_many_predictions_the_newest_of_the_window_count_in_their_order(
    warehouse: SqliteWarehouse,
) -> None:
    start = datetime(2025, 12, 2, tzinfo=UTC)
    answers = [answer(number, (start + timedelta(minutes=number)).isoformat()) for number in range(700)]
    fill(warehouse, answers, [label(number, 0, "bad") for number in range(451)])
    found = matured(warehouse)
    assert found is not None
    # 500 rows are the last 250 requests, 450 to 699.
    assert (found.rows, found.labelled) == (500, 1)


def test_what_was_answered_before_the_release_was_made_is_not_read(warehouse: SqliteWarehouse) -> None:
    fill(warehouse, [answer(1, at="2025-11-30T00:00:00+00:00")], [])
    assert matured(warehouse) is None
