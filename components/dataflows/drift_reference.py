"""What drift is measured against: frozen when a model is evaluated, kept with its release."""

import itertools
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from components.dataflows import drift, sketches

#: Categories that keep a bin of their own; the rest are "other".
TOP = 20

#: Warehouse collection of references by release.
REFERENCES = "drift_references"

#: Of the random directions: any number does, but the same everywhere.
SEED = 0


#: Numbers between these are written without an exponent.
PLAIN = (1e-4, 1e9)


def figure(value: float) -> str:
    """A number with four significant digits, as people write it."""
    # What is next to 0 is written like it: the bin of a constant ends there.
    short = f"{0.0 if abs(value) < sys.float_info.min else value:.4g}"
    return f"{float(short):,.10g}" if PLAIN[0] <= abs(value) < PLAIN[1] else short


class Part(BaseModel):
    """A closed part of a reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Numeric(Part):
    """A number.

    Attributes:
        name: Of the signal.
        edges: Inner bin edges, increasing.
        counts: Rows a bin and, last, rows without a value.
        sketch: KLL sketch of the values.
    """

    type: Literal["numeric"] = "numeric"
    name: str
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    sketch: str

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins."""
        edges = [figure(one) for one in self.edges]
        inner = [low if low == high else f"{low} to {high}" for low, high in itertools.pairwise(edges)]
        last = ">" if edges[-2:-1] == edges[-1:] else "≥"
        return (f"< {edges[0]}", *inner, f"{last} {edges[-1]}", "missing")


class Category(Part):
    """A category.

    Attributes:
        name: Of the signal.
        known: Categories with a bin of their own, most frequent first.
        counts: Rows a known category, then of any other, then without a value.
    """

    type: Literal["category"] = "category"
    name: str
    known: tuple[str, ...]
    counts: tuple[float, ...]

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins."""
        return (*self.known, "other", "missing")


class Embedding(Part):
    """A vector.

    Attributes:
        name: Of the signal.
        rows: Vectors of the reference.
        dimensions: Length of a vector.
        width: Standard deviation of the kernel.
        seed: Of the random directions.
        mean: Mean of the random Fourier features.
        spectrum: Eigenvalues of their covariance, which the threshold is simulated from.
    """

    type: Literal["embedding"] = "embedding"
    name: str
    rows: int
    dimensions: int
    width: float
    seed: int
    mean: tuple[float, ...]
    spectrum: tuple[float, ...]

    @property
    def fourier(self) -> sketches.Fourier:
        """The features."""
        return sketches.Fourier(self.dimensions, self.width, self.seed)


Signal = Annotated[Numeric | Category | Embedding, Field(discriminator="type")]


class Reference(Part):
    """Frozen signals.

    Attributes:
        made: ISO 8601 time of freezing.
        described: What the rows were, for people.
        signals: One a feature, prediction or embedding.
    """

    made: str
    described: str
    signals: tuple[Signal, ...]


def numeric(name: str, values: NDArray[Any], bins: int) -> Numeric:
    """Freeze a number; one without any value gets the one bin "missing".

    Args:
        name: Of the signal.
        values: Shape (rows,), NaN where there is none.
        bins: Most quantile bins.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).all():
        edges, counted = np.zeros(1), np.array([0.0, 0.0, len(values)])
    else:
        frozen = drift.reference(values, bins)
        edges, counted = frozen.edges, frozen.counts
    sketch = sketches.sketch()
    sketches.update(sketch, drift.sample(values))
    return Numeric(
        name=name,
        edges=tuple(edges.tolist()),
        counts=tuple(counted.tolist()),
        sketch=sketches.packed(sketch),
    )


def category(name: str, counted: Mapping[str, int], missing: int = 0) -> Category:
    """Freeze a category from how often each value comes."""
    first = sorted(counted, key=lambda value: (-counted[value], value))
    top, rest = first[:TOP], first[TOP:]
    counts = [*(counted[value] for value in top), sum(counted[value] for value in rest), missing]
    return Category(name=name, known=tuple(top), counts=tuple(map(float, counts)))


def embedding(name: str, vectors: NDArray[Any]) -> Embedding:
    """Freeze vectors, shape (rows, dimensions)."""
    width = sketches.width(vectors, SEED)
    features = sketches.Fourier(vectors.shape[1], width, SEED).of(vectors)
    return Embedding(
        name=name,
        rows=len(vectors),
        dimensions=vectors.shape[1],
        width=width,
        seed=SEED,
        mean=tuple(features.mean(axis=0).tolist()),
        spectrum=tuple(sketches.spectrum(features).tolist()),
    )
