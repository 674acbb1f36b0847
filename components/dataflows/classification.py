"""Numbers and curves of a probability of one outcome, each number with a bootstrap interval.

A statistic takes labels (0 or 1) and scores, both of shape (cases,), and how often each case was drawn, shape
(rounds, cases); it gives one value a round. Cases are sorted once, for all rounds together.
"""

from typing import TypedDict

import numpy as np

from components.dataflows.intervals import Better, Counted, Floats, counted_difference, counted_measure
from components.shared.evaluation import Difference, Measure

#: Quantile bins of the calibration error.
BINS = 10


def _ranked(labels: Floats, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Draws of positives and of negatives at each distinct score, rising, both of shape (rounds, scores)."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    drawn, sign = counts[:, order], labels[order]
    return np.add.reduceat(drawn * sign, starts, axis=1), np.add.reduceat(drawn * (1 - sign), starts, axis=1)


def roc_auc(labels: Floats, scores: Floats, counts: Floats) -> Floats:
    """Chance that a positive scores above a negative, a tie counting half."""
    positives, negatives = _ranked(labels, scores, counts)
    below = np.cumsum(negatives, axis=1) - negatives
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        return np.asarray((positives * (below + negatives / 2)).sum(axis=1) / pairs)


def pr_auc(labels: Floats, scores: Floats, counts: Floats) -> Floats:
    """Average precision: precision at each threshold, weighted by the recall it adds."""
    positives, negatives = (one[:, ::-1] for one in _ranked(labels, scores, counts))
    found, raised = np.cumsum(positives, axis=1), np.cumsum(positives + negatives, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(raised > 0, found / raised, 0.0)
        return np.asarray((precision * positives).sum(axis=1) / positives.sum(axis=1))


def brier(labels: Floats, scores: Floats, counts: Floats) -> Floats:
    """Mean squared distance of the probability from the outcome."""
    return np.asarray(counts @ (scores - labels) ** 2 / counts.sum(axis=1))


def calibration_error(labels: Floats, scores: Floats, counts: Floats) -> Floats:
    """Mean distance of the predicted from the observed share in quantile bins, weighted by their cases.

    The bins are those of all cases, in every resample.
    """
    number = quantile_bins(scores)
    gaps = np.zeros(len(counts))
    for one in np.unique(number):
        inside = number == one
        gaps += np.abs(counts[:, inside] @ (scores - labels)[inside])
    return np.asarray(gaps / counts.sum(axis=1))


def quantile_bins(scores: Floats) -> Floats:
    """Number of each score's quantile bin, shape (cases,)."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, scores, side="left").astype(np.float64)


#: Name to statistic, direction, and whether resampling biases it.
METRICS: dict[str, tuple[Counted, Better, bool]] = {
    "roc_auc": (roc_auc, "higher", False),
    "pr_auc": (pr_auc, "higher", False),
    "brier": (brier, "lower", False),
    "calibration_error": (calibration_error, "lower", True),
}


def measures(labels: Floats, scores: Floats, *, level: float, rounds: int, seed: int) -> dict[str, Measure]:
    """Every metric of one model."""
    return {
        name: counted_measure(
            statistic, labels, scores, level=level, rounds=rounds, seed=seed, better=better, centred=biased
        )
        for name, (statistic, better, biased) in METRICS.items()
    }


def differences(
    labels: Floats, candidate: Floats, champion: Floats, *, level: float, rounds: int, seed: int
) -> dict[str, Difference]:
    """Every metric of the candidate less that of the champion, on the same cases."""
    return {
        name: counted_difference(
            statistic, labels, candidate, champion, level=level, rounds=rounds, seed=seed, centred=biased
        )
        for name, (statistic, _, biased) in METRICS.items()
    }


class Roc(TypedDict):
    """Points of a ROC curve, thresholds falling; the first point raises nobody."""

    fpr: list[float]
    tpr: list[float]
    thresholds: list[float]


def roc(labels: Floats, scores: Floats) -> Roc:
    """ROC curve; the first threshold is 1, which no probability exceeds."""
    from sklearn.metrics import roc_curve

    fpr, tpr, thresholds = roc_curve(labels, scores)
    return {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "thresholds": np.minimum(thresholds, 1.0).tolist()}


def confusion(labels: Floats, scores: Floats, threshold: float) -> list[list[int]]:
    """Cases by outcome (rows: negative, positive) and by whether the score reaches the threshold."""
    raised = scores >= threshold
    return [
        [int(((labels == outcome) & (raised == called)).sum()) for called in (0, 1)] for outcome in (0, 1)
    ]
