"""A window of rows as sums over frozen signals: windows of several replicas add up to one."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.dataflows import drift, sketches
from components.dataflows.drift_reference import Category, Embedding, Numeric, Reference

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """When a distance counts as drift.

    Attributes:
        false_alarm_rate: Share of windows without drift that may exceed a signal's simulated threshold.
        smallest_psi: Drift below this PSI, or what is like it in other distances, is not worth attention.
        seed: Of the simulation.
    """

    false_alarm_rate: float
    smallest_psi: float
    seed: int


@dataclass(frozen=True)
class Drift:
    """One signal.

    Attributes:
        name: Of the signal.
        method: The distance that decides: PSI, or MMD for vectors.
        rows: Rows of the window.
        statistics: Distance by method.
        thresholds: Threshold by method.
        bins: Names of the bins; empty for vectors.
        before: Shares of the reference by bin.
        now: Shares of the window by bin.
        quantiles_before: 5 %, 50 %, 95 % of the reference; empty where not known.
        quantiles_now: The same of the window.
    """

    name: str
    method: str
    rows: int
    statistics: Mapping[str, float]
    thresholds: Mapping[str, float]
    bins: tuple[str, ...] = ()
    before: tuple[float, ...] = ()
    now: tuple[float, ...] = ()
    quantiles_before: tuple[float, ...] = ()
    quantiles_now: tuple[float, ...] = ()

    @property
    def statistic(self) -> float:
        """The distance that decides."""
        return self.statistics[self.method]

    @property
    def threshold(self) -> float:
        """Its threshold."""
        return self.thresholds[self.method]

    @property
    def drifted(self) -> bool:
        """Whether the distance exceeds its threshold."""
        return self.statistic > self.threshold


@dataclass
class Window:
    """Sums of the rows seen so far.

    Attributes:
        reference: Its frozen signals.
        rows: Rows seen.
        sums: Signal to counts by bin, or to the sum of the features.
        seen: Signal to rows that had it.
        sketches: Numeric signal to its KLL sketch.
    """

    reference: Reference
    rows: int = 0
    sums: dict[str, Floats] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    sketches: dict[str, Any] = field(default_factory=dict)

    def add(self, rows: int, values: Mapping[str, Any]) -> None:
        """Count rows.

        Args:
            rows: How many.
            values: Signal to its values: shape (rows,) of numbers or texts, (rows, dimensions) of vectors.
                A signal that is not frozen is passed over; one that is left out has no rows.
        """
        self.rows += rows
        for signal in self.reference.signals:
            given = values.get(signal.name)
            if given is None or not len(given):
                continue
            if isinstance(signal, Category):
                made = drift.category_counts(given, signal.known)
            elif isinstance(signal, Numeric):
                numbers = np.asarray(given, dtype=float)
                made = drift.counts(numbers, np.asarray(signal.edges))
                sketches.update(self.sketches.setdefault(signal.name, sketches.sketch()), numbers)
            else:
                made = _fourier(signal).of(np.asarray(given)).sum(axis=0)
            self._raise(signal.name, made, len(given))

    def _raise(self, name: str, amount: Floats, rows: int) -> None:
        before = self.sums.get(name)
        self.sums[name] = amount if before is None else before + amount
        self.seen[name] = self.seen.get(name, 0) + rows

    def merge(self, other: "Window") -> None:
        """Add the rows of another window of the same reference."""
        self.rows += other.rows
        for name, amount in other.sums.items():
            self._raise(name, amount, other.seen[name])
        for name, one in other.sketches.items():
            self.sketches.setdefault(name, sketches.sketch()).merge(one)

    def packed(self) -> dict[str, Any]:
        """The window as a JSON value, some 2 KB a signal."""
        return {
            "rows": self.rows,
            "seen": dict(self.seen),
            "sums": {
                name: base64.b64encode(amount.astype("<f8").tobytes()).decode()
                for name, amount in self.sums.items()
            },
            "sketches": {name: sketches.packed(one) for name, one in self.sketches.items()},
        }


def unpacked(reference: Reference, value: Mapping[str, Any]) -> Window:
    """The window of a JSON value."""
    return Window(
        reference,
        int(value["rows"]),
        {
            name: np.frombuffer(base64.b64decode(text), dtype="<f8").astype(float)
            for name, text in value["sums"].items()
        },
        {name: int(rows) for name, rows in value["seen"].items()},
        {name: sketches.unpacked(text) for name, text in value["sketches"].items()},
    )


_FOURIER: dict[tuple[int, float, int], sketches.Fourier] = {}


def _fourier(signal: Embedding) -> sketches.Fourier:
    """The features with their directions, drawn once a process."""
    key = (signal.dimensions, signal.width, signal.seed)
    return _FOURIER.setdefault(key, signal.fourier)


def drifts(window: Window, rule: Rule) -> list[Drift]:
    """Every signal of a window that has rows, the most suspicious first."""
    found = [
        _of_vectors(signal, window, rule)
        if isinstance(signal, Embedding)
        else of_bins(signal, window.sums[signal.name], rule, window.sketches.get(signal.name))
        for signal in window.reference.signals
        if window.seen.get(signal.name)
    ]
    return ranked(found)


def ranked(found: Sequence[Drift]) -> list[Drift]:
    """The most suspicious first: by statistic over threshold."""
    return sorted(found, key=lambda one: -one.statistic / max(one.threshold, 1e-12))


def of_bins(signal: Numeric | Category, counted: Floats, rule: Rule, sketch: Any = None) -> Drift:
    """Drift of a binned signal.

    Args:
        signal: Its reference.
        counted: Rows a bin of the window, shape as `signal.counts`.
        rule: When a distance counts as drift.
        sketch: KLL sketch of the window's values, for its quantiles.
    """
    numeric = isinstance(signal, Numeric)
    methods = drift.ORDERED if numeric else drift.UNORDERED
    frozen = sketches.unpacked(signal.sketch) if isinstance(signal, Numeric) else sketches.sketch()
    before, rows = np.asarray(signal.counts), int(counted.sum())
    null = _null(signal.counts, rows, rule.false_alarm_rate, rule.seed, ordered=numeric)
    floor = drift.smallest(rule.smallest_psi)
    return Drift(
        name=signal.name,
        method="psi",
        rows=rows,
        statistics={name: float(distance(before, counted)) for name, distance in methods.items()},
        thresholds={name: max(null[name], floor[name]) for name in methods},
        bins=signal.bins,
        before=tuple((before / before.sum()).tolist()),
        now=tuple((counted / rows).tolist()),
        quantiles_before=sketches.quantiles(frozen),
        quantiles_now=sketches.quantiles(sketch) if sketch is not None else (),
    )


def _of_vectors(signal: Embedding, window: Window, rule: Rule) -> Drift:
    rows = window.seen[signal.name]
    limit = _null_of_vectors(signal.spectrum, signal.rows, rows, rule.false_alarm_rate, rule.seed)
    value = sketches.mmd(np.asarray(signal.mean), window.sums[signal.name] / rows)
    return Drift(signal.name, "mmd", rows, {"mmd": value}, {"mmd": limit})


@lru_cache(maxsize=4096)
def _null(counts: tuple[float, ...], rows: int, rate: float, seed: int, *, ordered: bool) -> dict[str, float]:
    """Simulated once for windows of a size."""
    methods = drift.ORDERED if ordered else drift.UNORDERED
    return drift.thresholds(np.asarray(counts), rows, rate, seed, methods)


@lru_cache(maxsize=64)
def _null_of_vectors(
    spectrum: tuple[float, ...], reference_rows: int, rows: int, rate: float, seed: int
) -> float:
    """Simulated once for windows of a size."""
    return sketches.mmd_threshold(np.asarray(spectrum), reference_rows, rows, rate, seed)
