"""Bootstrap intervals (Efron & Tibshirani 1993, percentile method), vectorised over resamples."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.shared.evaluation import Difference, Measure

Floats = NDArray[np.float64]
Better = Literal["higher", "lower"]

#: A statistic of many resamples at once: labels and scores of shape (cases,), how often each case was drawn,
#: shape (rounds, cases), to values of shape (rounds,), NaN where a resample leaves it undefined.
Counted = Callable[[Floats, Floats, Floats], Floats]

#: Cells of a block of draw counts: 32 MB, however many cases there are.
BLOCK = 4_000_000


def resamples(cases: int, rounds: int, seed: int) -> NDArray[np.int64]:
    """Row numbers drawn with replacement, shape (rounds, cases)."""
    return np.random.default_rng(seed).integers(0, cases, size=(rounds, cases))


def _bounds(values: Floats, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def mean_measure(
    values: Floats, *, level: float, rounds: int, seed: int, better: Better = "higher"
) -> Measure:
    """Mean of per-case values, shape (cases,), with its interval."""
    drawn = values[resamples(len(values), rounds, seed)].mean(axis=1)
    low, high = _bounds(drawn, level)
    return Measure(value=float(values.mean()), low=low, high=high, better=better)


def mean_difference(
    candidate: Floats, champion: Floats, *, level: float, rounds: int, seed: int
) -> Difference:
    """Mean of candidate less champion per case, both of shape (cases,), with the paired interval."""
    found = mean_measure(candidate - champion, level=level, rounds=rounds, seed=seed)
    return Difference(value=found.value, low=found.low, high=found.high)


def quantile_measure(values: Floats, share: float, *, level: float, rounds: int, seed: int) -> Measure:
    """A quantile of per-case values, shape (cases,), with its interval; lower is better.

    The interval never leaves the values that were seen: of few cases, that of a high quantile is too narrow.
    """
    drawn = np.quantile(values[resamples(len(values), rounds, seed)], share, axis=1)
    low, high = _bounds(drawn, level)
    return Measure(value=float(np.quantile(values, share)), low=low, high=high, better="lower")


def quantile_difference(
    candidate: Floats, champion: Floats, share: float, *, level: float, rounds: int, seed: int
) -> Difference:
    """Quantile of the candidate less that of the champion, on the same resamples of cases, shape (cases,)."""
    drawn = resamples(len(candidate), rounds, seed)
    apart = np.quantile(candidate[drawn], share, axis=1) - np.quantile(champion[drawn], share, axis=1)
    low, high = _bounds(apart, level)
    value = float(np.quantile(candidate, share) - np.quantile(champion, share))
    return Difference(value=value, low=low, high=high)


def draw_counts(cases: int, rounds: int, seed: int) -> Iterator[Floats]:
    """How often each case is drawn in each resample, in blocks of shape (some rounds, cases)."""
    rng = np.random.default_rng(seed)
    size = max(1, BLOCK // cases)
    for start in range(0, rounds, size):
        block = min(size, rounds - start)
        drawn = rng.integers(0, cases, size=(block, cases)) + np.arange(block)[:, None] * cases
        yield np.bincount(drawn.ravel(), minlength=block * cases).reshape(block, cases).astype(np.float64)


def counted_measure(
    statistic: Counted,
    labels: Floats,
    scores: Floats,
    *,
    level: float,
    rounds: int,
    seed: int,
    better: Better = "higher",
    centred: bool = False,
) -> Measure:
    """A statistic of labels and scores, both of shape (cases,), with its interval.

    Args:
        statistic: Computed from draw counts, for many resamples at once.
        labels: 0 or 1.
        scores: Of the model.
        level: Confidence level.
        rounds: Resamples.
        seed: Of the resampling.
        better: Which direction is better.
        centred: Shift the resampled values so that their median is the value itself, for a statistic that
            resampling biases (a sum of absolute values grows with noise); not below 0.
    """
    value = _whole(statistic, labels, scores)
    drawn = np.concatenate(
        [statistic(labels, scores, counts) for counts in draw_counts(len(labels), rounds, seed)]
    )
    low, high = _bounds(drawn[np.isfinite(drawn)], level)
    if centred:
        shift = value - float(np.nanmedian(drawn))
        low, high = max(0.0, low + shift), high + shift
    return Measure(value=value, low=low, high=high, better=better)


def counted_difference(
    statistic: Counted,
    labels: Floats,
    first: Floats,
    second: Floats,
    *,
    level: float,
    rounds: int,
    seed: int,
    centred: bool = False,
) -> Difference:
    """Statistic of the first scores less that of the second, on the same resamples, with its interval.

    Args:
        statistic: As in `counted_measure`.
        labels: 0 or 1, shape (cases,).
        first: Scores of the candidate, shape (cases,).
        second: Scores of the champion, shape (cases,).
        level: Confidence level.
        rounds: Resamples.
        seed: Of the resampling.
        centred: As in `counted_measure`, without the bound at 0.
    """
    value = _whole(statistic, labels, first) - _whole(statistic, labels, second)
    drawn = np.concatenate(
        [
            statistic(labels, first, counts) - statistic(labels, second, counts)
            for counts in draw_counts(len(labels), rounds, seed)
        ]
    )
    low, high = _bounds(drawn[np.isfinite(drawn)], level)
    shift = value - float(np.nanmedian(drawn)) if centred else 0.0
    return Difference(value=value, low=low + shift, high=high + shift)


def _whole(statistic: Counted, labels: Floats, scores: Floats) -> float:
    return float(statistic(labels, scores, np.ones((1, len(labels))))[0])
