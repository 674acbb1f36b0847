"""PSI and its simulated threshold."""

import numpy as np
import pytest

from components.dataflows import drift


def test_equal_shares_have_no_drift() -> None:
    assert drift.psi(np.array([50.0, 50.0]), np.array([500.0, 500.0])) == pytest.approx(0, abs=1e-6)


def test_psi_of_two_bins_matches_the_formula_by_hand() -> None:
    # Large counts make the smoothing vanish: (0.6 − 0.5)·ln(0.6/0.5) + (0.4 − 0.5)·ln(0.4/0.5).
    found = drift.psi(np.array([5e6, 5e6]), np.array([6e6, 4e6]))
    assert found == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8), rel=1e-4)


def test_every_value_falls_in_one_bin() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    frozen = drift.reference(values, 10)
    assert frozen.counts.sum() == 1000
    assert drift.counts(np.array([-1e9, 1e9]), frozen.edges).sum() == 2


def test_unknown_categories_are_counted_as_other() -> None:
    assert drift.category_counts(["a", "z", None, "y"], ["a", "b"]).tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("rows", [100, 500, 5000])
def test_windows_without_drift_exceed_the_threshold_as_rarely_as_asked(rows: int) -> None:
    draw = np.random.default_rng(1)
    reference = drift.reference(draw.normal(size=5000), 10)
    limit = drift.thresholds(reference.counts, rows, 0.05, seed=2)["psi"]
    alarms = np.mean(
        [
            drift.psi(reference.counts, drift.counts(draw.normal(size=rows), reference.edges)) > limit
            for _ in range(400)
        ]
    )
    assert alarms < 0.1


def test_a_shift_of_half_a_standard_deviation_is_found_in_500_rows() -> None:
    draw = np.random.default_rng(3)
    reference = drift.reference(draw.normal(size=5000), 10)
    limit = drift.thresholds(reference.counts, 500, 0.01, seed=4)["psi"]
    assert drift.psi(reference.counts, drift.counts(draw.normal(0.5, size=500), reference.edges)) > limit


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_a_rare_flag_that_becomes_common_is_found(share: float) -> None:
    draw = np.random.default_rng(5)
    before = (draw.random(2000) < share).astype(float)
    now = (draw.random(500) < 0.2).astype(float)
    reference = drift.reference(before, 10)
    limit = drift.thresholds(reference.counts, 500, 0.01, seed=6)["psi"]
    assert drift.psi(reference.counts, drift.counts(now, reference.edges)) > limit
    same = (draw.random(500) < share).astype(float)
    assert drift.psi(reference.counts, drift.counts(same, reference.edges)) <= limit
