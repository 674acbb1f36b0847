"""Question to ranked chunks: one encoder, one index version, the configured fusion."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from components.adapters.encoder import Encoder
from components.adapters.vectors.contract import Found, Index
from components.dataflows import retrieval
from components.shared.config.llm import Retrieval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

#: Questions whose vectors are kept: people repeat themselves, and a vector costs a forward pass.
REMEMBERED = 1_000


@dataclass(frozen=True)
class Retriever:
    """Safe to share between requests as far as its index is."""

    encoder: Encoder
    index: Index
    settings: Retrieval
    _vectors: "OrderedDict[str, Vector]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def embedded(self, question: str) -> "tuple[Vector, bool]":
        """The vector of a question, shape (dimensions,), and whether it was known; for one thread."""
        known = question in self._vectors
        if known:
            self._vectors.move_to_end(question)
        else:
            self._vectors[question] = self.encoder.encode([question])[0]
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return self._vectors[question], known

    def search(self, question: str, limit: int) -> list[Found]:
        """The best chunks for a question, best first."""
        return self._found(question, self.embedded(question)[0], limit)

    def search_all(self, questions: Sequence[str], limit: int) -> list[list[Found]]:
        """The best chunks for each question, the questions embedded together."""
        vectors = self.encoder.encode(questions)
        return [
            self._found(question, vector, limit) for question, vector in zip(questions, vectors, strict=True)
        ]

    def _found(self, question: str, vector: "Vector", limit: int) -> list[Found]:
        weight, depth = self.settings.bm25_weight, max(limit, retrieval.DEPTH)
        dense = self.index.dense(vector, depth) if weight < 1 else []
        sparse = self.index.sparse(question, depth) if weight > 0 else []
        best = retrieval.fused(dense, sparse, weight)[:limit]
        # Cosine and BM25 have no common scale; the score of the fusion is one that all hits share.
        return [replace(hit, score=score) for hit, score in best]
