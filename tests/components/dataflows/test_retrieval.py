"""Fusion of two rankings against values worked out by hand."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.dataflows import retrieval


@dataclass(frozen=True)
class Hit:
    chunk_id: str
    path: str = "p"
    score: float = 0.0


def hits(names: str) -> list[Hit]:
    return [Hit(name, path=name.upper()) for name in names]


def order(dense: str, sparse: str, weight: float) -> str:
    return "".join(hit.chunk_id for hit, _ in retrieval.fused(hits(dense), hits(sparse), weight))


@pytest.mark.parametrize(
    ("dense", "sparse", "weight", "expected"),
    [
        # a: .5/61, b: .5/62 + .5/61, c: .5/62
        ("ab", "bc", 0.5, "bac"),
        # a: .9/61 = .01475, c: .9/63 + .1/61 = .01593, b: .9/62 = .01452
        ("abc", "c", 0.1, "cab"),
        ("abc", "cba", 0.0, "abc"),
        ("abc", "cba", 1.0, "cba"),
        # equal points: dense first
        ("a", "b", 0.5, "ab"),
        ("", "ba", 0.5, "ba"),
        ("", "", 0.5, ""),
    ],
)
def test_weighted_reciprocal_ranks(dense: str, sparse: str, weight: float, expected: str) -> None:
    assert order(dense, sparse, weight) == expected


RANKINGS = st.permutations("abcdefgh").flatmap(
    lambda all_: st.integers(0, 8).map(lambda n: "".join(all_[:n]))
)


@given(RANKINGS, RANKINGS, st.floats(0, 1))
def test_every_hit_comes_once(dense: str, sparse: str, weight: float) -> None:
    found = order(dense, sparse, weight)
    assert sorted(found) == sorted(set(dense + sparse))


@given(RANKINGS, st.floats(0, 1))
def test_two_equal_rankings_stay_as_they_are(ranking: str, weight: float) -> None:
    assert order(ranking, ranking, weight) == ranking


def test_documents_in_the_order_of_their_best_chunk() -> None:
    found = [Hit("1", "x"), Hit("2", "y"), Hit("3", "x"), Hit("4", "z")]
    assert retrieval.documents(found) == ["x", "y", "z"]


def test_the_first_of_both_rankings_has_score_one() -> None:
    best, score = retrieval.fused(hits("ab"), hits("ac"), 0.3)[0]
    assert best.chunk_id == "a"
    assert score == pytest.approx(1.0)
