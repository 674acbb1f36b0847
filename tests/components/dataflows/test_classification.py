"""Numbers of a classifier against scikit-learn's, and their bootstrap intervals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from components.dataflows.classification import (
    METRICS,
    brier,
    calibration_error,
    confusion,
    differences,
    measures,
    pr_auc,
    roc,
    roc_auc,
)
from components.dataflows.intervals import draw_counts

HOW: dict[str, Any] = {"level": 0.95, "rounds": 400, "seed": 1}


def sample(cases: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities with ties, and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.beta(2, 4, cases), 2)
    return (rng.random(cases) < scores).astype(float), scores


@settings(deadline=None, max_examples=50)
@given(st.integers(5, 200), st.integers(0, 10**6))
def test_weighted_statistics_equal_scikit_learn_on_the_drawn_rows(cases: int, seed: int) -> None:
    labels, scores = sample(cases, seed)
    (counts,) = draw_counts(cases, 3, seed)
    for row in counts.astype(int):
        drawn_labels, drawn_scores = np.repeat(labels, row), np.repeat(scores, row)
        if 0 < drawn_labels.sum() < len(drawn_labels):
            one = row[None].astype(float)
            assert roc_auc(labels, scores, one)[0] == pytest.approx(roc_auc_score(drawn_labels, drawn_scores))
            expected = average_precision_score(drawn_labels, drawn_scores)
            assert pr_auc(labels, scores, one)[0] == pytest.approx(expected)
            assert brier(labels, scores, one)[0] == pytest.approx(
                brier_score_loss(drawn_labels, drawn_scores)
            )


def test_calibration_error_by_hand() -> None:
    labels, scores = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.1, 0.9, 0.9])
    # Two bins, 0.1 and 0.9 predicted, one half observed in each.
    assert calibration_error(labels, scores, np.ones((1, 4)))[0] == pytest.approx(0.4)


def test_counts_keep_the_number_of_cases_in_every_block() -> None:
    blocks = list(draw_counts(3_000_000, 2, 0))
    assert [block.shape for block in blocks] == [(1, 3_000_000)] * 2
    assert all((block.sum(axis=1) == 3_000_000).all() for block in blocks)


def test_intervals_hold_the_value_and_repeat() -> None:
    labels, scores = sample(250)
    found = measures(labels, scores, **HOW)
    assert list(found) == list(METRICS)
    for measure in found.values():
        assert measure.low <= measure.value <= measure.high
        assert measure.low < measure.high
    assert measures(labels, scores, **HOW) == found


def test_roc_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = roc_auc_score(*sample(200_000, 99))
    covered = 0
    for seed in range(60):
        measure = measures(*sample(200, seed), level=0.9, rounds=200, seed=seed)["roc_auc"]
        covered += measure.low <= truth <= measure.high
    # 54 expected; 46 or fewer would happen by chance in less than one run of 200.
    assert covered > 46


def test_paired_differences_are_narrower_than_their_parts_and_zero_against_itself() -> None:
    labels, scores = sample(300)
    rival = np.clip(scores + np.random.default_rng(5).normal(0, 0.02, 300), 0, 1)
    paired = differences(labels, scores, rival, **HOW)
    alone = measures(labels, scores, **HOW)
    assert paired["roc_auc"].high - paired["roc_auc"].low < alone["roc_auc"].high - alone["roc_auc"].low
    assert all(
        one.value == one.low == one.high == 0 for one in differences(labels, scores, scores, **HOW).values()
    )


def test_one_class_only_in_some_resamples_is_left_out() -> None:
    labels, scores = np.array([1.0, 0, 0, 0]), np.array([0.9, 0.1, 0.2, 0.3])
    found = measures(labels, scores, **HOW)["roc_auc"]
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_curve_and_matrix() -> None:
    labels, scores = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8])
    assert confusion(labels, scores, 0.5) == [[1, 1], [1, 1]]
    curve = roc(labels, scores)
    assert curve["fpr"][0] == curve["tpr"][0] == 0.0 and curve["thresholds"][0] == 1.0
    assert curve["fpr"][-1] == curve["tpr"][-1] == 1.0
