"""What a store of index versions is: versions are immutable once complete, and an alias flips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Entry:
    """A chunk with its vector, as it goes into an index."""

    chunk_id: str
    path: str
    heading: str
    text: str
    vector: "Vector"


@dataclass(frozen=True)
class Found:
    """A chunk that a search found.

    Attributes:
        score: Cosine similarity of the dense search; of BM25 the larger the better.
    """

    chunk_id: str
    path: str
    heading: str
    text: str
    score: float


class Index(Protocol):
    """An open index version."""

    def dense(self, vector: "Vector", limit: int) -> list[Found]:
        """Nearest chunks by cosine similarity, best first."""

    def sparse(self, text: str, limit: int) -> list[Found]:
        """Best chunks by BM25, best first."""

    def close(self) -> None:
        """Give back what the index holds."""


class Vectors(Protocol):
    """Index versions of every twin."""

    def exists(self, twin: str, version: str) -> bool:
        """Whether a version is complete."""

    def create(self, twin: str, version: str, batches: Iterable[Sequence[Entry]]) -> int:
        """Build a version and return how many chunks it holds; a complete one is left as it is."""

    def count(self, twin: str, version: str) -> int:
        """How many chunks a version holds."""

    def flip(self, twin: str, version: str) -> None:
        """Let the alias name a version, atomically."""

    def current(self, twin: str) -> str | None:
        """The version that the alias names, or None before the first."""

    def open(self, twin: str, version: str) -> Index:
        """Open a version for searching."""
