"""Quality of predictions whose outcomes have come: ROC AUC, calibration and accuracy, with intervals."""

from dataclasses import dataclass

import numpy as np

from components.dataflows import classification
from components.dataflows.intervals import Better, Counted, Floats, counted_measure
from components.shared.evaluation import Measure

#: Labelled cases below which a number would say nothing.
FEWEST = 30

#: Probability from which a case is called positive.
CALLED = 0.5


def accuracy(labels: Floats, scores: Floats, counts: Floats) -> Floats:
    """Share of cases that are called what they turned out to be."""
    right = ((scores >= CALLED) == (labels == 1)).astype(float)
    return np.asarray(counts @ right / counts.sum(axis=1))


#: Name to statistic, direction, and whether resampling biases it.
METRICS: dict[str, tuple[Counted, Better, bool]] = {
    "roc_auc": (classification.roc_auc, "higher", False),
    "calibration_error": (classification.calibration_error, "lower", True),
    "accuracy": (accuracy, "higher", False),
}


@dataclass(frozen=True)
class Quality:
    """Numbers of one window.

    Attributes:
        rows: Predictions in the window.
        labelled: How many of them have a label.
        measures: By name; empty with fewer than 30 labels, without ROC AUC where all outcomes are the same.
    """

    rows: int
    labelled: int
    measures: dict[str, Measure]

    @property
    def share(self) -> float:
        """Share of the predictions that have a label."""
        return self.labelled / self.rows if self.rows else 0.0


def quality(labels: Floats, scores: Floats, *, level: float, rounds: int, seed: int) -> Quality:
    """Quality of a window.

    Args:
        labels: 0 or 1, NaN where none has come; shape (rows,).
        scores: Predicted probabilities, shape (rows,).
        level: Confidence level of the intervals.
        rounds: Resamples of the bootstrap.
        seed: Of the resampling.
    """
    known = ~np.isnan(labels)
    outcomes, chances = labels[known], scores[known]
    found: dict[str, Measure] = {}
    if len(outcomes) >= FEWEST:
        for name, (statistic, better, biased) in METRICS.items():
            if name == "roc_auc" and len(np.unique(outcomes)) == 1:
                continue
            found[name] = counted_measure(
                statistic, outcomes, chances, level=level, rounds=rounds, seed=seed, better=better,
                centred=biased,
            )  # fmt: skip
    return Quality(len(labels), int(known.sum()), found)
