"""Question to ranked chunks: one encoder, one index version, the configured fusion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.adapters.encoder import Encoder
from components.adapters.vectors import Found, Index
from components.dataflows import retrieval
from components.shared.config.llm import Retrieval


@dataclass(frozen=True)
class Retriever:
    """Safe to share between requests as far as its index is."""

    encoder: Encoder
    index: Index
    settings: Retrieval

    def search(self, question: str, limit: int) -> list[Found]:
        """The best chunks for a question, best first."""
        return self.search_all([question], limit)[0]

    def search_all(self, questions: Sequence[str], limit: int) -> list[list[Found]]:
        """The best chunks for each question, the questions embedded together."""
        vectors = self.encoder.encode(questions)
        weight, depth = self.settings.bm25_weight, max(limit, retrieval.DEPTH)
        found = []
        for question, vector in zip(questions, vectors, strict=True):
            dense = self.index.dense(vector, depth) if weight < 1 else []
            sparse = self.index.sparse(question, depth) if weight > 0 else []
            best = retrieval.fused(dense, sparse, weight)[:limit]
            # Cosine and BM25 have no common scale; the score of the fusion is one that all hits share.
            found.append([replace(hit, score=score) for hit, score in best])
        return found
