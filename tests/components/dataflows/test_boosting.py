"""The boosted trees: fit, stop, repeat, survive their file."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.dataflows import boosting
from components.shared.config.classic import Boosting
from components.shared.errors import DataError


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 4))
    features[rng.random((count, 4)) < 0.05] = np.nan
    return features, (np.nan_to_num(features[:, 0]) + rng.normal(size=count) > 0).astype(float)


def test_it_overfits_a_tiny_batch() -> None:
    features = np.random.default_rng(0).normal(size=(16, 3))
    labels = np.array([0.0, 1] * 8)
    settings = Boosting(
        rounds=200, max_depth=6, learning_rate=0.5, subsample=1, column_sample=1, min_child_weight=0, l2=0
    )
    model, metrics = boosting.fit((features, labels), (features, labels), settings, seed=0)
    assert roc_auc_score(labels, boosting.probability(model, features)) == 1.0
    assert metrics["train_log_loss"] < 0.02


def test_it_stops_where_the_validation_loss_is_least() -> None:
    seen: list[tuple[int, int]] = []
    model, metrics = boosting.fit(
        rows(200), rows(200, 1), Boosting(rounds=500, learning_rate=0.3, early_stopping=10), seed=0,
        report=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert model.num_boosted_rounds() == metrics["rounds"] < len(seen) < 500
    assert seen[0] == (1, 500)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        model, _ = boosting.fit(rows(300), rows(100, 1), Boosting(rounds=20), seed=3)
        (tmp_path / name).mkdir()
        boosting.save(model, tmp_path / name)
        files.append((tmp_path / name / boosting.FILE).read_bytes())
    assert files[0] == files[1]


def test_it_survives_its_file_and_gives_one_row_the_same_as_many(tmp_path: Path) -> None:
    model, _ = boosting.fit(rows(300), rows(100, 1), Boosting(rounds=20), seed=0)
    boosting.save(model, tmp_path)
    again = boosting.load(tmp_path)
    features, _ = rows(50, 2)
    together = boosting.probability(model, features)
    assert together.shape == (50,) and together.dtype == np.float64
    assert [boosting.probability(again, row[None])[0] for row in features] == together.tolist()


def test_gains_are_shares_by_name() -> None:
    model, _ = boosting.fit(rows(300), rows(100, 1), Boosting(rounds=20), seed=0)
    gains = boosting.gains(model, ("a", "b", "c", "d"))
    assert next(iter(gains)) == "a"
    assert sum(gains.values()) == pytest.approx(1)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable model"):
        boosting.load(tmp_path)
    (tmp_path / boosting.FILE).parent.mkdir()
    (tmp_path / boosting.FILE).write_bytes(b"not a model")
    with pytest.raises(DataError, match="no readable model"):
        boosting.load(tmp_path)
