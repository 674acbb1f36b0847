"""Which chunks go with a question: dense and BM25 rankings, fused with a weight."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

#: Damps the difference between the first places (Cormack, Clarke & Büttcher 2009).
DAMPING = 60

#: Chunks of each ranking that fusion sees.
DEPTH = 30


class Hit(Protocol):
    """A chunk that a search found."""

    @property
    def chunk_id(self) -> str:
        """Its id."""

    @property
    def path(self) -> str:
        """Its document."""

    @property
    def score(self) -> float:
        """How well it fits, by the ranking it comes from."""


H = TypeVar("H", bound=Hit)


def fused(dense: Sequence[H], sparse: Sequence[H], sparse_weight: float) -> list[tuple[H, float]]:
    """Weighted reciprocal rank fusion: (1 − w) / (60 + place in dense) + w / (60 + place in BM25).

    Args:
        dense: Best first.
        sparse: Best first.
        sparse_weight: Weight of BM25, 0 to 1.

    Returns:
        Each chunk once with its score, best first; of equal ones the one that dense ranks higher. Scores are
        scaled: 1 is first in both rankings.
    """
    points: dict[str, float] = {}
    hits: dict[str, H] = {}
    for ranking, weight in ((dense, 1 - sparse_weight), (sparse, sparse_weight)):
        for place, hit in enumerate(ranking, start=1):
            points[hit.chunk_id] = points.get(hit.chunk_id, 0.0) + weight / (DAMPING + place)
            hits.setdefault(hit.chunk_id, hit)
    order = sorted(hits.values(), key=lambda hit: -points[hit.chunk_id])
    return [(hit, points[hit.chunk_id] * (DAMPING + 1)) for hit in order]


def documents(ranked: Sequence[Hit]) -> list[str]:
    """Documents in the order of their best chunk, each once."""
    return list(dict.fromkeys(hit.path for hit in ranked))


def embedded_text(heading: str, text: str) -> str:
    """What the encoder sees of a chunk: its headings help where the text does not repeat its subject."""
    return f"{heading}\n{text}" if heading else text
