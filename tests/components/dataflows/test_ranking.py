"""Ranking measures against values worked out by hand."""

from collections.abc import Callable

import pytest

from components.dataflows import ranking

RANKED = ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(("document", "found"), [("a", 1.0), ("e", 1.0), ("f", 0.0), ("z", 0.0)])
def test_recall_at_5(document: str, found: float) -> None:
    assert ranking.recall(RANKED, document, 5) == found


@pytest.mark.parametrize(("document", "value"), [("a", 1.0), ("b", 0.5), ("d", 0.25), ("z", 0.0)])
def test_reciprocal_rank(document: str, value: float) -> None:
    assert ranking.reciprocal_rank(RANKED, document) == value


@pytest.mark.parametrize(
    ("document", "value"), [("a", 1.0), ("b", 0.63092975357), ("c", 0.5), ("e", 0.38685280723), ("f", 0.0)]
)
def test_ndcg_at_5(document: str, value: float) -> None:
    assert ranking.ndcg(RANKED, document, 5) == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("measure", [lambda r: ranking.recall(r, "a", 5), lambda r: ranking.ndcg(r, "a", 5),
                                     lambda r: ranking.reciprocal_rank(r, "a")])  # fmt: skip
def test_nothing_found_is_zero(measure: Callable[[list[str]], float]) -> None:
    assert measure([]) == 0.0
