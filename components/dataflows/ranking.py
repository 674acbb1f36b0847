"""Quality of a ranking with binary relevance (Manning, Raghavan & Schütze 2008, chapter 8)."""

import math
from collections.abc import Sequence


def recall(ranked: Sequence[str], relevant: str, at: int) -> float:
    """1 where the relevant document is among the first `at`, else 0."""
    return float(relevant in ranked[:at])


def reciprocal_rank(ranked: Sequence[str], relevant: str) -> float:
    """1 / place of the relevant document, 0 where it is not there."""
    return 1 / (ranked.index(relevant) + 1) if relevant in ranked else 0.0


def ndcg(ranked: Sequence[str], relevant: str, at: int) -> float:
    """Discounted gain of the one relevant document: 1 / log2(place + 1), 0 behind place `at`."""
    head = list(ranked[:at])
    return 1 / math.log2(head.index(relevant) + 2) if relevant in head else 0.0
