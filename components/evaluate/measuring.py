"""The numbers of one side: retrieval over all questions, answers to some, loss on held-out examples."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.adapters import foundation
from components.adapters.encoder import Encoder
from components.dataflows import prompts, ranking, retrieval
from components.dataflows.answers import token_f1
from components.evaluate import by_case, costing, safety
from components.evaluate.questions import Question
from components.evaluate.side import Side
from components.evaluate.variants import Models, Variant, answers, closed_book, remembered, seconds
from components.runtime.context import Context
from components.runtime.retriever import Retriever
from components.shared import digest, sums
from components.shared.config.llm import Foundation
from components.shared.endpoints import endpoint
from components.shared.errors import DataError
from components.shared.generation import Answer
from components.shared.manifests import MANIFEST, Manifest

if TYPE_CHECKING:
    from components.adapters.vectors.contract import Found

Values = dict[str, NDArray[np.float64]]

#: Chunks of a ranking from which documents are counted.
DEPTH = 30


@dataclass(frozen=True)
class Measured:
    """What one side did.

    Attributes:
        hits: Chunks found for each question, best first.
        values: Metric to one value a case.
        answers: To the first of the questions.
    """

    hits: "list[list[Found]]"
    values: Values
    answers: list[Answer]

    @property
    def said(self) -> list[str]:
        """Texts of the answers."""
        return [one.text for one in self.answers]


class Measuring:
    """Everything that the sides of an evaluation share.

    Args:
        context: Of the stage.
        asked: The questions.
        dataset: Has the held-out examples.
        occasion: Names the evaluation: what a clock measures is not taken from another one.
    """

    def __init__(self, context: Context, asked: Sequence[Question], dataset: Manifest, occasion: str) -> None:
        self._context = context
        self._occasion = occasion
        self.asked = list(asked)
        self._answered = list(asked)[: context.llm.questions.answers]
        self._dataset = dataset
        self._encoders: dict[str, Encoder] = {}
        self._models = Models(self._open)

    def _open(self, settings: Foundation, adapter: Path | None) -> foundation.Foundation:
        return foundation.load(
            settings,
            self._context.config.state_path / "foundation",
            adapter=adapter,
            note=self._context.progress.note,
        )

    def side(self, side: Side) -> Measured:
        """Rankings, values by case, and answers of a candidate or a champion."""
        hits, searching = self._search(side)
        top, base = side.answering.retrieval.top_k, side.answering.foundation
        chosen = [found[:top] for found in hits[: len(self._answered)]]
        prompted = tuple(
            tuple(prompts.messages(prompts.render(side.prompt, found), one.question))
            for one, found in zip(self._answered, chosen, strict=True)
        )
        adapter = digest.of_folder(side.adapter, leave_out=[MANIFEST, sums.NAME])
        with_context = Variant(f"{side.name} with retrieval", adapter, side.adapter, prompted, base)
        alone = Variant(f"{side.name} alone", adapter, side.adapter, closed_book(self._answered), base)
        made = self._answers(with_context)
        said = [one.text for one in made]
        tuned = [one.text for one in answers(self._context, self._models, alone)]
        values = {
            **self._retrieval(hits),
            "answer_f1": self._f1(said),
            "answer_f1_tuned": self._f1(tuned),
            **self._losses(adapter, side.adapter, base),
            **safety.values(said, [[hit.text for hit in found] for found in chosen]),
            **self._costs(base, made),
            by_case.LATENCY: searching + self._seconds(with_context),
        }
        return Measured(hits, values, made)

    def _answers(self, variant: Variant) -> list[Answer]:
        """Answers that may be of an earlier evaluation, unless their times are money."""
        paid = self._context.llm.costs.of(variant.foundation.model).hour is not None
        return answers(self._context, self._models, variant, self._occasion if paid else "")

    def _seconds(self, variant: Variant) -> NDArray[np.float64]:
        timed = replace(variant, prompts=variant.prompts[: self._timed])
        return np.array(seconds(self._context, self._models, timed, self._occasion), dtype=np.float64)

    @property
    def _timed(self) -> int:
        """How many questions are timed."""
        return min(self._context.llm.questions.timed, len(self._answered))

    def _costs(self, base: Foundation, made: Sequence[Answer]) -> Values:
        """Nothing where no price is configured."""
        prices = self._context.llm.costs.of(base.model)
        return {by_case.COST: costing.per_1000(prices, made)} if prices.known else {}

    def embedded(self, side: Side) -> NDArray[np.float32]:
        """Vectors of the questions by a side's encoder, shape (questions, dimensions)."""
        return self._encoder(side).encode([one.question for one in self.asked])

    def _encoder(self, side: Side) -> Encoder:
        settings = side.answering.encoder
        return self._encoders.setdefault(settings.model_dump_json(), Encoder(settings))

    def foundation(self) -> Measured:
        """Values by case and answers of the foundation model without retrieval."""
        base = self._context.llm.foundation
        made = self._answers(Variant("foundation", "", None, closed_book(self._answered), base))
        said = [one.text for one in made]
        values = {
            "answer_f1": self._f1(said),
            **self._losses("", None, base),
            **safety.values(said),
            **self._costs(base, made),
        }
        return Measured([], values, made)

    def _search(self, side: Side) -> "tuple[list[list[Found]], NDArray[np.float64]]":
        """Chunks for every question, and the time of a search for each question that is timed."""
        self._require_known(side.index_version)
        index = self._context.stores.vectors.open(self._context.twin, side.index_version)
        texts = [one.question for one in self.asked]
        try:
            retriever = Retriever(self._encoder(side), index, side.answering.retrieval)
            found = retriever.search_all(texts, DEPTH)
            taken = []
            for text in texts[: self._timed]:
                begun = time.perf_counter()
                retriever.search(text, side.answering.retrieval.top_k)
                taken.append(time.perf_counter() - begun)
            return found, np.array(taken)
        finally:
            index.close()

    def _require_known(self, version: str) -> None:
        import pyarrow.parquet as pq

        made = self._context.stores.artifacts.with_version("embed", version)
        if made is None:
            return  # an older champion's chunk list may be gone; its index is what counts
        known = set(pq.read_table(made.folder / "chunks.parquet", columns=["path"])["path"].to_pylist())
        if unknown := sorted({one.document for one in self.asked} - known):
            raise DataError(
                f"{len(unknown)} documents of the questions are not in the index: {', '.join(unknown[:5])}",
                where=f"twins.{self._context.twin}.questions",
                remedy="correct `document` in the questions, or widen `include` of the sources",
            )

    def _retrieval(self, hits: "list[list[Found]]") -> Values:
        ranked = [retrieval.documents(found) for found in hits]
        pairs = list(zip(ranked, [one.document for one in self.asked], strict=True))
        return {
            "recall_at_5": np.array([ranking.recall(found, wanted, 5) for found, wanted in pairs]),
            "ndcg_at_10": np.array([ranking.ndcg(found, wanted, 10) for found, wanted in pairs]),
            "mrr": np.array([ranking.reciprocal_rank(found, wanted) for found, wanted in pairs]),
        }

    def _f1(self, said: Sequence[str]) -> NDArray[np.float64]:
        return np.array([token_f1(text, one.answer) for text, one in zip(said, self._answered, strict=True)])

    def _losses(self, adapter: str, folder: Path | None, base: Foundation) -> Values:
        """`held_out_loss`: mean loss per answer token of each held-out example, shape (examples,).

        An endpoint gives no losses of given texts; there the metric is left out.
        """
        if endpoint(base.model):
            return {}
        # An example longer than a sequence is cut, so its loss depends on the length.
        length = self._context.llm.training.sequence_tokens
        limit = self._context.llm.questions.held_out

        def work() -> list[Any]:
            lines = (self._dataset.folder / "held_out.jsonl").read_text(encoding="utf-8").splitlines()
            examples = [json.loads(line)["messages"] for line in lines[:limit]]
            return foundation.losses(
                self._models.get(base, folder),
                examples,
                max_tokens=length,
                report=lambda done, total: self._context.progress.step("held-out examples", done, total),
            )

        key = [base.model, adapter, self._dataset.version, length, limit]
        found = remembered(self._context, "losses", key, work)
        return {"held_out_loss": np.array(found, dtype=np.float64)}
