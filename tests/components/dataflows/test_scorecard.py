"""The scorecard: fits, explains itself, and can be summed by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.dataflows import scorecard
from components.shared.config.classic import Scorecard
from components.shared.errors import DataError
from components.shared.files import write_atomic

NAMES = ("safe", "noise", "group")


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.column_stack(
        [rng.normal(size=count), rng.normal(size=count), rng.integers(0, 3, count)]
    ).astype(float)
    chance = 1 / (1 + np.exp(1 + 1.5 * features[:, 0] - features[:, 2]))
    return features, (rng.random(count) < chance).astype(float)


def test_it_overfits_a_tiny_batch() -> None:
    features = np.arange(12, dtype=float)[:, None]
    labels = (features[:, 0] > 5).astype(float)
    card = scorecard.fit(features, labels, ("x",), Scorecard(bins=12))
    assert roc_auc_score(labels, scorecard.probability(card, features)) == 1.0


def test_it_finds_what_matters_and_is_calibrated() -> None:
    card = scorecard.fit(*rows(5000), NAMES, Scorecard())
    features, labels = rows(5000, 1)
    chance = scorecard.probability(card, features)
    assert roc_auc_score(labels, chance) > 0.75
    assert abs(chance.mean() - labels.mean()) < 0.03
    points = {row.feature: row.points for row in card.rows}
    assert list(points["safe"]) == sorted(points["safe"])
    assert list(points["group"]) == sorted(points["group"], reverse=True)


def test_points_sum_by_hand_to_what_is_served() -> None:
    card = scorecard.fit(*rows(500), NAMES, Scorecard())
    features, _ = rows(20, 2)
    for row in features:
        total = card.start
        for one in card.rows:
            value = row[NAMES.index(one.feature)]
            total += one.points[sum(value > edge for edge in one.edges)]
            assert all(round(points, 1) == points for points in one.points)
        assert scorecard.points(card, row[None])[0] == pytest.approx(total)
        odds = card.base_odds * 2 ** ((total - card.base_points) / card.points_to_double)
        assert scorecard.probability(card, row[None])[0] == pytest.approx(1 / (1 + odds))


def test_missing_values_have_points_of_their_own() -> None:
    features, labels = rows(2000)
    features[labels == 1, 0] = np.where(np.arange(int(labels.sum())) % 2, np.nan, features[labels == 1, 0])
    card = scorecard.fit(features, labels, NAMES, Scorecard())
    row = next(one for one in card.rows if one.feature == "safe")
    assert row.missing < min(row.points)
    assert math.isfinite(scorecard.probability(card, np.full((1, 3), np.nan))[0])


def test_a_constant_feature_and_one_without_evidence_do_no_harm() -> None:
    labels = np.array([0.0, 1] * 50)
    card = scorecard.fit(np.ones((100, 1)), labels, ("constant",), Scorecard())
    assert scorecard.probability(card, np.ones((1, 1)))[0] == pytest.approx(0.5, abs=0.01)


def test_it_survives_its_file(tmp_path: Path) -> None:
    card = scorecard.fit(*rows(300), NAMES, Scorecard())
    write_atomic(tmp_path / scorecard.FILE, card.model_dump_json())
    assert scorecard.load(tmp_path) == card
    (tmp_path / scorecard.FILE).write_text("{}")
    with pytest.raises(DataError, match="no readable scorecard"):
        scorecard.load(tmp_path)
