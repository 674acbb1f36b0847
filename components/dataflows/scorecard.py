"""A scorecard: points per bin of each feature, summed by hand if need be; the fallback of the boosted trees.

Each feature is cut into quantile bins; a bin's weight of evidence is the logarithm of its share of positives
over its share of negatives (Siddiqi 2006, Credit Risk Scorecards). Logistic regression weighs the features,
and the weights become points: `points_to_double` points more mean twice the odds of a negative outcome. The
points are rounded to a tenth, and the rounded points predict, so a sum by hand is the sum that was served.
"""

from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from components.shared.config.classic import Scorecard
from components.shared.errors import DataError

Floats = NDArray[np.float64]

FILE = "scorecard.json"

#: Added to the counts of a bin, so that a bin with one class only has a finite weight of evidence.
SMOOTHING = 0.5


class Row(BaseModel):
    """Points of one feature.

    Attributes:
        feature: Its name.
        edges: Upper ends of the bins but the last, rising; a value equal to an edge lies below it.
        points: Points of each bin: one more than edges.
        missing: Points where the value is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    edges: tuple[float, ...]
    points: tuple[float, ...]
    missing: float


class Card(BaseModel):
    """The whole scorecard.

    Attributes:
        features: Order of the columns it is given.
        rows: Features that count; the others have no weight.
        start: Points that everybody has.
        base_points: Points at the base odds.
        base_odds: Odds of a negative outcome at the base points.
        points_to_double: Points that double the odds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    rows: tuple[Row, ...]
    start: float
    base_points: float
    base_odds: float
    points_to_double: float


def points(card: Card, features: Floats) -> Floats:
    """Points, shape (rows,), of features of shape (rows, features) in the card's order; more is safer."""
    place = {name: index for index, name in enumerate(card.features)}
    total = np.full(len(features), card.start)
    for row in card.rows:
        total += np.asarray([*row.points, row.missing])[bins(features[:, place[row.feature]], row.edges)]
    return total


def probability(card: Card, features: Floats) -> Floats:
    """Probability of the positive outcome, shape (rows,)."""
    doublings = (points(card, features) - card.base_points) / card.points_to_double
    return np.asarray(1 / (1 + card.base_odds * np.exp2(doublings)))


def bins(values: Floats, edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Number of each value's bin, shape (rows,); a missing value has the number after the last bin."""
    found = np.searchsorted(np.asarray(edges), values, side="left")
    return np.where(np.isnan(values), len(edges) + 1, found)


def fit(features: Floats, labels: Floats, names: tuple[str, ...], settings: Scorecard) -> Card:
    """A scorecard of training rows.

    A feature whose weight comes out against its own evidence is left out and the rest is fitted again: points
    that fall where the risk falls cannot be explained to anybody.

    Args:
        features: Shape (rows, features), NaN where missing.
        labels: Shape (rows,), 0 or 1; both occur.
        names: Names of the features.
        settings: Bins and scale.
    """
    edges = [cut(column, settings.bins) for column in features.T]
    numbers = [bins(column, cuts) for column, cuts in zip(features.T, edges, strict=True)]
    weights = [evidence(one, labels, len(cuts) + 2) for one, cuts in zip(numbers, edges, strict=True)]
    table = np.column_stack([weight[one] for weight, one in zip(weights, numbers, strict=True)])
    kept, slopes, intercept = _regress(table, labels)
    # Points = base + scale × ln(odds / base odds); ln(odds of negative) = −(intercept + Σ slope × evidence).
    scale = settings.points_to_double / log(2)
    rows = []
    for index, slope in zip(kept, slopes, strict=True):
        tenths = [round(-scale * slope * float(weight), 1) for weight in weights[index]]
        rows.append(
            Row(feature=names[index], edges=edges[index], points=tuple(tenths[:-1]), missing=tenths[-1])
        )
    return Card(
        features=names,
        rows=tuple(rows),
        start=round(settings.base_points + scale * (-intercept - log(settings.base_odds)), 1),
        base_points=settings.base_points,
        base_odds=settings.base_odds,
        points_to_double=settings.points_to_double,
    )


def cut(values: Floats, count: int) -> tuple[float, ...]:
    """Edges of at most `count` bins: between the values where there are few, otherwise quantiles."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) < 2:  # noqa: PLR2004 - one value needs no edge
        return ()
    if len(known) <= count:
        return tuple(float(value) for value in known[:-1])
    inner = np.linspace(0, 1, count + 1)[1:-1]
    found = np.unique(np.quantile(values[~np.isnan(values)], inner, method="lower"))
    return tuple(float(value) for value in found if value < known[-1])


def evidence(numbers: NDArray[np.int64], labels: Floats, count: int) -> Floats:
    """Weight of evidence of each bin, shape (count,); 0 for a bin without rows."""
    rows = np.bincount(numbers, minlength=count)
    positives = np.bincount(numbers, weights=labels, minlength=count)
    share_of_positives = (positives + SMOOTHING) / (labels.sum() + SMOOTHING)
    share_of_negatives = (rows - positives + SMOOTHING) / ((1 - labels).sum() + SMOOTHING)
    return np.where(rows > 0, np.log(share_of_positives / share_of_negatives), 0.0)


def _regress(table: Floats, labels: Floats) -> tuple[list[int], list[float], float]:
    """Columns with a positive slope, their slopes, and the intercept."""
    from sklearn.linear_model import LogisticRegression

    kept = list(range(table.shape[1]))
    while kept:
        model = LogisticRegression(C=1.0, max_iter=1000).fit(table[:, kept], labels)
        slopes = [float(slope) for slope in model.coef_[0]]
        if min(slopes) > 0:
            return kept, slopes, float(model.intercept_[0])
        kept.pop(slopes.index(min(slopes)))
    share = float(labels.mean())
    return [], [], log(share / (1 - share))


def load(folder: Path) -> Card:
    """Read a scorecard from a folder.

    Raises:
        DataError: The file is missing or is no scorecard.
    """
    path = folder / FILE
    try:
        return Card.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"no readable scorecard: {error}", where=str(path), remedy="train again") from error
