"""Numbers of an evaluation as people read them, and documents of earlier versions."""

import pytest

from components.shared import comparison
from components.shared.evaluation import Difference, Evaluation, Measure

#: As an earlier version stored it.
OLD = {
    "twin": "t", "cases": 2, "cases_version": "v", "level": 0.95, "baseline_name": "scorecard",
    "candidate": {"roc_auc": {"value": 0.8, "low": 0.7, "high": 0.9, "better": "higher"}},
    "champion": {"roc_auc": {"value": 0.75, "low": 0.6, "high": 0.8, "better": "higher"}},
    "champion_release": "c", "paired": {"roc_auc": {"value": 0.05, "low": -0.01, "high": 0.1}},
}  # fmt: skip


def test_numbers_of_an_earlier_version_still_open_and_read_as_before() -> None:
    found = Evaluation.model_validate(OLD)
    heading, row = comparison.rows(found)
    assert heading[-1] == "Candidate less champion"
    assert row == [
        *("ROC AUC ↑", "roc_auc", "0.800 [0.700, 0.900]", "–"),
        *("0.750 [0.600, 0.800]", "+0.050 [-0.010, +0.100]"),
    ]  # fmt: skip
    assert comparison.remarks(found) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0000402, "0.0000402"), (0.25, "0.25"), (2.8449, "2.84"), (1234.5, "1,234"), (0.0, "0"), (10.0, "10")],
)
def test_what_has_a_unit_has_three_digits_and_no_exponent(value: float, text: str) -> None:
    found = Evaluation.model_validate({**OLD, "units": {"cost_per_1000": "EUR"}})
    assert found.number("cost_per_1000", value) == text
    measure = Measure(value=value, low=value, high=value)
    assert found.shown("cost_per_1000", measure) == f"{text} [{text}, {text}] EUR"


def test_a_difference_has_its_sign() -> None:
    found = Evaluation.model_validate({**OLD, "units": {"latency_p95": "s"}})
    shown = found.shown("latency_p95", Difference(value=0.5, low=-0.25, high=1.0))
    assert shown == "+0.5 [-0.25, +1] s"


def test_what_is_not_measured_has_a_row_and_a_reason() -> None:
    found = Evaluation.model_validate({**OLD, "unmeasured": {"cost_per_1000": "no price is configured"}})
    assert comparison.rows(found)[-1][:3] == ["Cost of 1,000 requests", "cost_per_1000", "not measured"]
    assert comparison.remarks(found) == ["Cost of 1,000 requests is not measured: no price is configured."]
