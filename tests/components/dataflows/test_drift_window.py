"""Windows over frozen signals: they add up, raise false alarms as rarely as asked, and see what changed."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.dataflows import drift_reference, sketches
from components.dataflows.drift_reference import Reference
from components.dataflows.drift_window import Drift, Rule, Window, drifts, unpacked

RULE = Rule(false_alarm_rate=0.02, smallest_psi=0.0, seed=0)
DIMENSIONS = 24


def rows(count: int, seed: int, shift: float = 0.0, turn: float = 0.0) -> dict[str, Any]:
    """Rows of every type of signal; a fifth of the numbers is missing."""
    draw = np.random.default_rng(seed)
    amount = draw.normal(shift, size=count)
    amount[draw.random(count) < 0.2] = np.nan
    vectors = draw.normal(size=(count, DIMENSIONS))
    vectors[:, 0] += turn
    kinds = draw.choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=count)
    return {"amount": amount, "kind": kinds.tolist(), "question": vectors}


def frozen(seed: int = 0, count: int = 3000) -> Reference:
    values = rows(count, seed)
    kinds, often = np.unique(values["kind"], return_counts=True)
    return Reference(
        made="2026-01-01T00:00:00+00:00",
        described="test",
        signals=(
            drift_reference.numeric("amount", values["amount"], 10),
            drift_reference.category("kind", dict(zip(kinds.tolist(), often.tolist(), strict=True))),
            drift_reference.embedding("question", values["question"]),
        ),
    )


REFERENCE = frozen()


def found(values: dict[str, Any], rule: Rule = RULE) -> dict[str, Drift]:
    window = Window(REFERENCE)
    window.add(len(values["amount"]), values)
    return {one.name: one for one in drifts(window, rule)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=4), st.integers(0, 10_000))
def test_windows_of_replicas_add_up_to_one_window(cuts: list[int], seed: int) -> None:
    values = rows(600, seed)
    whole, merged = Window(REFERENCE), Window(REFERENCE)
    whole.add(600, values)
    places = [0, *sorted(cuts), 600]
    for start, end in itertools.pairwise(places):
        part = Window(REFERENCE)
        part.add(end - start, {name: given[start:end] for name, given in values.items()})
        merged.merge(unpacked(REFERENCE, part.packed()))
    assert merged.rows == whole.rows
    assert merged.seen == whole.seen
    for one, other in zip(drifts(merged, RULE), drifts(whole, RULE), strict=True):
        assert one.name == other.name
        assert one.statistics == pytest.approx(other.statistics, abs=1e-9)
        assert one.now == pytest.approx(other.now)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    values = rows(40, 3)
    turned = {
        name: [given[at] for at in order] if isinstance(given, list) else given[list(order)]
        for name, given in values.items()
    }
    one, other = found(values), found(turned)
    for name in one:
        assert one[name].statistics == pytest.approx(other[name].statistics, abs=1e-9)


def test_windows_without_drift_alarm_as_rarely_as_asked() -> None:
    alarms: dict[str, int] = {"amount": 0, "kind": 0, "question": 0}
    for seed in range(1000, 1150):
        for name, one in found(rows(500, seed), Rule(0.1, 0.0, 0)).items():
            alarms[name] += one.drifted
    # 150 windows at 10 %: within four standard deviations of 15.
    assert all(1 <= count <= 30 for count in alarms.values()), alarms


def test_what_changed_is_found_and_nothing_else() -> None:
    one = found(rows(500, 7, shift=1.0))
    assert one["amount"].drifted and not one["kind"].drifted and not one["question"].drifted
    other = found(rows(500, 8, turn=1.0))
    assert other["question"].drifted and not other["amount"].drifted
    assert one["amount"].quantiles_now[1] > one["amount"].quantiles_before[1] + 0.7


def test_values_that_go_missing_are_drift() -> None:
    values = rows(500, 9)
    values["amount"][:250] = np.nan
    assert found(values)["amount"].drifted


def test_what_is_not_worth_attention_is_no_drift() -> None:
    values = rows(50_000, 10, shift=0.08)
    assert found(values)["amount"].drifted
    assert not found(values, Rule(0.02, smallest_psi=0.1, seed=0))["amount"].drifted


def test_a_signal_without_rows_is_left_out() -> None:
    window = Window(REFERENCE)
    window.add(10, {"amount": np.zeros(10), "unknown": np.zeros(10)})
    assert [one.name for one in drifts(window, RULE)] == ["amount"]


def test_a_column_without_any_value_drifts_once_values_come() -> None:
    reference = Reference(
        made="", described="", signals=(drift_reference.numeric("empty", np.full(600, np.nan), 10),)
    )
    window = Window(reference)
    window.add(500, {"empty": np.ones(500)})
    assert drifts(window, RULE)[0].drifted


def test_a_rare_category_is_other_and_the_reference_survives_json() -> None:
    counted = {f"c{number:02}": 100 - number for number in range(30)}
    signal = drift_reference.category("many", counted, missing=5)
    assert len(signal.known) == drift_reference.TOP
    assert sum(signal.counts) == sum(counted.values()) + 5
    assert Reference.model_validate_json(REFERENCE.model_dump_json()) == REFERENCE


def test_random_features_approximate_the_gaussian_kernel() -> None:
    draw = np.random.default_rng(0)
    left, right = draw.normal(size=(2, 50, DIMENSIONS))
    fourier = sketches.Fourier(DIMENSIONS, width=5.0, seed=0)
    near = (fourier.of(left) * fourier.of(right)).sum(axis=1)
    exact = np.exp(-((left - right) ** 2).sum(axis=1) / (2 * 5.0**2))
    assert np.abs(near - exact).max() < 0.2
    assert np.abs(near - exact).mean() < 0.05
