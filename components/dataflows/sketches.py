"""Small summaries of a stream that can be added up: quantile sketches and means of random Fourier features.

- KLL (Karnin, Lang & Liberty 2016, Optimal quantile approximation in streams), by Apache DataSketches.
- Random Fourier features (Rahimi & Recht 2007): φ(x) = √(2/D) · cos(W x + b) with W from a normal
  distribution approximates the Gaussian kernel k(x, y) ≈ φ(x)·φ(y). So the squared maximum mean discrepancy
  of two samples (Gretton et al. 2012) is the squared distance of the means of their features, and a mean is
  all that has to be kept of a window.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Size of a KLL sketch: ranks are right to 1.3 % in 99 % of cases.
KLL_SIZE = 200

#: Random Fourier features.
FEATURES = 512

#: Pairs that the width of the kernel is taken from.
PAIRS = 2000

#: Windows drawn for a threshold.
NULL_ROUNDS = 2000


def sketch() -> Any:
    """An empty KLL sketch."""
    from datasketches import kll_floats_sketch

    return kll_floats_sketch(KLL_SIZE)


def update(into: Any, values: Floats) -> None:
    """Add values to a sketch; NaN is no value."""
    known = values[~np.isnan(values)]
    if len(known):
        into.update(known.astype(np.float32))


def packed(one: Any) -> str:
    """A sketch as text."""
    return base64.b64encode(one.serialize()).decode()


def unpacked(text: str) -> Any:
    """The sketch of a text."""
    from datasketches import kll_floats_sketch

    return kll_floats_sketch.deserialize(base64.b64decode(text))


def quantiles(one: Any, ranks: Sequence[float] = (0.05, 0.5, 0.95)) -> tuple[float, ...]:
    """Values at ranks; empty where the sketch is."""
    return () if one.is_empty() else tuple(float(value) for value in one.get_quantiles(list(ranks)))


@dataclass(frozen=True)
class Fourier:
    """Random Fourier features of vectors.

    Attributes:
        dimensions: Length of a vector.
        width: Standard deviation of the Gaussian kernel.
        seed: Of the random directions.
    """

    dimensions: int
    width: float
    seed: int

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # RandomState's stream is frozen by NumPy's policy, so that a seed is as good as the matrix itself.
        draw = np.random.RandomState(self.seed)
        directions = draw.standard_normal((self.dimensions, FEATURES)) / self.width
        return directions.astype(np.float32), draw.uniform(0, 2 * np.pi, FEATURES).astype(np.float32)

    def of(self, vectors: NDArray[Any]) -> Floats:
        """Features, shape (rows, FEATURES), of vectors, shape (rows, dimensions)."""
        directions, phases = self._parts
        turned = vectors.astype(np.float32) @ directions + phases
        return np.asarray(np.sqrt(2 / FEATURES) * np.cos(turned), dtype=np.float64)


def width(vectors: NDArray[Any], seed: int) -> float:
    """Median distance of random pairs: the usual width of the kernel (Gretton et al. 2012)."""
    draw = np.random.default_rng(seed)
    left, right = draw.integers(len(vectors), size=(2, PAIRS))
    apart = np.linalg.norm(vectors[left].astype(float) - vectors[right].astype(float), axis=1)
    apart = apart[apart > 0]
    return float(np.median(apart)) if len(apart) else 1.0


def spectrum(features: Floats) -> Floats:
    """Eigenvalues of the covariance of features, largest first, without those that do not matter."""
    centred = features - features.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False) ** 2 / max(1, len(features) - 1)
    kept = values[values > values.sum() * 1e-6]
    return np.asarray(kept if len(kept) else np.zeros(1))


def mmd(before: Floats, now: Floats) -> float:
    """Squared maximum mean discrepancy of two samples by the means of their features."""
    return float(((before - now) ** 2).sum())


def mmd_threshold(
    eigenvalues: Floats, reference_rows: int, rows: int, false_alarm_rate: float, seed: int
) -> float:
    """Squared MMD that windows without drift exceed in `false_alarm_rate` of cases.

    Means are normal by the central limit theorem, so without drift the squared MMD is distributed as
    (1/m + 1/n) Σ λ_i z_i² with eigenvalues λ_i of the features' covariance and standard normal z_i.
    """
    draw = np.random.default_rng(seed)
    null = draw.chisquare(1, size=(NULL_ROUNDS, len(eigenvalues))) @ eigenvalues
    return float(np.quantile(null, 1 - false_alarm_rate) * (1 / reference_rows + 1 / rows))
