"""Distances of a window from frozen bins, with thresholds that know how many rows the window has.

All over bins, with shares r of the reference and c of the current window:

- PSI = Σ (c − r) · ln(c / r), the population stability index (Siddiqi 2006, Credit Risk Scorecards).
- JS = ½ Σ r · log2(r / m) + ½ Σ c · log2(c / m) with m = (r + c) / 2, the Jensen–Shannon divergence in bits,
  between 0 and 1 (Lin 1991).
- KS = max |C − R| of the cumulative shares: the Kolmogorov–Smirnov statistic at the frozen edges, so a lower
  bound of the one over all values.

Without any drift all of them are above 0, the more the fewer rows. So a threshold is the quantile of the
simulated null distribution for the window's own size, and not below what is worth anybody's attention.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Added to every count before shares are taken, so that an empty bin does not make the PSI infinite.
SMOOTHING = 0.5

#: Windows drawn for a threshold.
NULL_ROUNDS = 2000

#: Values that are compared with the edges at a time: they stay in a core's cache.
BLOCK = 32_768

#: Rows that quantile edges and sketches of a table are taken from; the counts are of all rows.
SAMPLE = 100_000


@dataclass(frozen=True)
class Reference:
    """Frozen bins of a numeric signal.

    Attributes:
        edges: Inner bin edges, shape (bins − 1,), increasing.
        counts: Reference rows a bin and, last, rows without a value; shape (bins + 1,).
    """

    edges: Floats
    counts: Floats


def reference(values: Floats, bins: int) -> Reference:
    """Quantile bins of the reference values, shape (rows,); equal edges are merged, NaN is no value.

    Few distinct values get a bin each: the quantiles of a flag that is mostly 0 would all be 0, and a flag
    that is suddenly 1 would fall into the same bin.

    Raises:
        ValueError: There is no value.
    """
    known = sample(values)
    known = known[~np.isnan(known)]
    if not len(known):
        known = values[~np.isnan(values)][:SAMPLE]
    if not len(known):
        raise ValueError("no value to take bins from")
    # Sorted once: for the distinct values and for the quantiles.
    known = np.sort(known)
    distinct = known[np.concatenate([[True], known[1:] != known[:-1]])]
    if len(distinct) == 1:
        edges = np.array([distinct[0], np.nextafter(distinct[0], np.inf)])
    elif len(distinct) <= bins:
        edges = distinct[1:]
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    return Reference(edges, counts(values, edges))


def sample(values: Floats) -> Floats:
    """Some 100,000 of the values, evenly spread; all of fewer."""
    return values[:: max(1, len(values) // SAMPLE)]


def counts(values: Floats, edges: Floats) -> Floats:
    """Rows a bin and, last, rows without a value; shape (edges + 2,).

    A comparison with every edge is several times faster than a binary search a value for a few dozen edges.
    """
    above = np.zeros(len(edges) + 1)
    missing = 0
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        missing += int(np.count_nonzero(np.isnan(block)))
        for place, edge in enumerate(edges):
            above[place] += np.count_nonzero(block >= edge)
    below = np.concatenate([[len(values) - missing], above[:-1]])
    return np.concatenate([below - above, [missing]])


def category_counts(values: Sequence[str | None], known: Sequence[str]) -> Floats:
    """Rows a known category, then of any other, then without a value; shape (known + 2,)."""
    place: dict[str | None, int] = {name: number for number, name in enumerate(known)}
    place[None] = len(known) + 1
    found = np.fromiter((place.get(value, len(known)) for value in values), dtype=np.int64, count=len(values))
    return np.bincount(found, minlength=len(known) + 2).astype(float)


def shares(bin_counts: Floats) -> Floats:
    """Smoothed shares along the last axis."""
    raised = bin_counts + SMOOTHING
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def psi(reference_counts: Floats, current_counts: Floats) -> Floats:
    """Population stability index along the last axis."""
    before, now = shares(reference_counts), shares(current_counts)
    return np.asarray(((now - before) * np.log(now / before)).sum(axis=-1))


def js(reference_counts: Floats, current_counts: Floats) -> Floats:
    """Jensen–Shannon divergence in bits along the last axis."""
    before, now = shares(reference_counts), shares(current_counts)
    middle = (before + now) / 2
    return np.asarray((before * np.log2(before / middle) + now * np.log2(now / middle)).sum(axis=-1) / 2)


def ks(reference_counts: Floats, current_counts: Floats) -> Floats:
    """Kolmogorov–Smirnov statistic at the edges, along the last axis; bins in order, missing ones last."""
    before = reference_counts / reference_counts.sum(axis=-1, keepdims=True)
    now = current_counts / current_counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.abs(np.cumsum(now - before, axis=-1)).max(axis=-1))


Distance = Callable[[Floats, Floats], Floats]

#: Distances of ordered bins; categories have no order, so no KS.
ORDERED: Mapping[str, Distance] = {"psi": psi, "js": js, "ks": ks}
UNORDERED: Mapping[str, Distance] = {"psi": psi, "js": js}


def smallest(psi_floor: float) -> dict[str, float]:
    """Distances not worth attention, in the terms of every method.

    For small differences PSI ≈ 8 ln 2 · JS; and where half of the mass shifts by KS to the other half,
    PSI ≈ 8 · KS².
    """
    return {"psi": psi_floor, "js": psi_floor / (8 * math.log(2)), "ks": math.sqrt(psi_floor / 8)}


def thresholds(
    reference_counts: Floats,
    rows: int,
    false_alarm_rate: float,
    seed: int,
    methods: Mapping[str, Distance] = ORDERED,
) -> dict[str, float]:
    """Distances that windows of `rows` rows without drift exceed in `false_alarm_rate` of cases, by method.

    Both sides of the comparison are samples, so both are drawn from the same shares.
    """
    draw = np.random.default_rng(seed)
    before = shares(reference_counts)
    windows = draw.multinomial(rows, before, size=NULL_ROUNDS).astype(float)
    references = draw.multinomial(int(reference_counts.sum()), before, size=NULL_ROUNDS).astype(float)
    return {
        name: float(np.quantile(distance(references, windows), 1 - false_alarm_rate))
        for name, distance in methods.items()
    }
