"""Population stability index against frozen bins, with a threshold that knows how many rows a window has.

PSI = Σ (c − r) · ln(c / r) over bins, with shares r of the reference and c of the current window
(Siddiqi 2006, Credit Risk Scorecards). Without any drift it still exceeds 0.1 in small windows, so the
threshold is the quantile of its simulated null distribution for the window's own size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Added to every count before shares are taken, so that an empty bin does not make the PSI infinite.
SMOOTHING = 0.5

#: Windows drawn for a threshold.
NULL_ROUNDS = 2000


@dataclass(frozen=True)
class Reference:
    """Frozen bins of a numeric signal.

    Attributes:
        edges: Inner bin edges, shape (bins − 1,), increasing.
        counts: Reference rows a bin, shape (bins,).
    """

    edges: Floats
    counts: Floats


def reference(values: Floats, bins: int) -> Reference:
    """Quantile bins of the reference values, shape (rows,); equal edges are merged.

    Few distinct values get a bin each: the quantiles of a flag that is mostly 0 would all be 0, and a flag
    that is suddenly 1 would fall into the same bin.
    """
    distinct = np.unique(values)
    if len(distinct) == 1:
        edges = np.array([distinct[0], np.nextafter(distinct[0], np.inf)])
    elif len(distinct) <= bins:
        edges = distinct[1:]
    else:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    return Reference(edges, counts(values, edges))


def counts(values: Floats, edges: Floats) -> Floats:
    """Rows a bin, shape (edges + 1,)."""
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).astype(float)


def category_counts(values: Sequence[str], known: Sequence[str]) -> Floats:
    """Rows a known category and, last, of any other, shape (known + 1,)."""
    place = {name: number for number, name in enumerate(known)}
    found = np.fromiter((place.get(value, len(known)) for value in values), dtype=np.int64, count=len(values))
    return np.bincount(found, minlength=len(known) + 1).astype(float)


def shares(bin_counts: Floats) -> Floats:
    """Smoothed shares along the last axis."""
    raised = bin_counts + SMOOTHING
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def psi(reference_counts: Floats, current_counts: Floats) -> Floats:
    """Population stability index along the last axis."""
    before, now = shares(reference_counts), shares(current_counts)
    return np.asarray(((now - before) * np.log(now / before)).sum(axis=-1))


def threshold(reference_counts: Floats, rows: int, false_alarm_rate: float, seed: int) -> float:
    """PSI that windows of `rows` rows without drift exceed in `false_alarm_rate` of cases.

    Both sides of the comparison are samples, so both are drawn from the same shares.
    """
    draw = np.random.default_rng(seed)
    before = shares(reference_counts)
    windows = draw.multinomial(rows, before, size=NULL_ROUNDS).astype(float)
    references = draw.multinomial(int(reference_counts.sum()), before, size=NULL_ROUNDS).astype(float)
    return float(np.quantile(psi(references, windows), 1 - false_alarm_rate))
