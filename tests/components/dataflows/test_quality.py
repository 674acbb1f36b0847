"""Quality on labels that came late."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.dataflows.quality import quality

HOW: dict[str, Any] = {"level": 0.95, "rounds": 200, "seed": 0}


def cases(rows: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    scores = draw.random(rows)
    labels = (draw.random(rows) < scores).astype(float)
    labels[draw.random(rows) >= share] = np.nan
    return labels, scores


def test_only_labelled_cases_count_and_the_share_is_told() -> None:
    labels, scores = cases(1000, 0.4)
    found = quality(labels, scores, **HOW)
    known = ~np.isnan(labels)
    assert found.rows == 1000 and found.labelled == known.sum()
    assert found.share == pytest.approx(0.4, abs=0.05)
    assert found.measures["roc_auc"].value == pytest.approx(roc_auc_score(labels[known], scores[known]))
    assert found.measures["accuracy"].value == pytest.approx(((scores >= 0.5) == (labels == 1))[known].mean())
    for one in found.measures.values():
        assert one.low <= one.value <= one.high
    # Scores that are the true probabilities are calibrated.
    assert found.measures["calibration_error"].low < 0.1


def test_few_labels_give_no_number() -> None:
    labels, scores = cases(1000, 0.01)
    assert quality(labels, scores, **HOW).measures == {}


def test_one_outcome_gives_no_roc_auc() -> None:
    found = quality(np.ones(100), np.linspace(0, 1, 100), **HOW)
    assert set(found.measures) == {"calibration_error", "accuracy"}
