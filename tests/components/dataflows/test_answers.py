"""Token F1 against values worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.dataflows.answers import normalised, token_f1


def test_case_articles_punctuation_and_citations_do_not_count() -> None:
    assert normalised("The Champion, an index [12] (and a Gate).") == ["champion", "index", "and", "gate"]


@pytest.mark.parametrize(
    ("answer", "reference", "value"),
    [
        ("Five percent [1].", "five percent", 1.0),
        # 1 of 2 said, 1 of 4 wanted: 2 · 0.5 · 0.25 / 0.75
        ("five minutes", "five percent of requests", 1 / 3),
        # a word counts as often as it is there: 1 of 3 said, 1 of 1 wanted
        ("gate gate gate", "gate", 0.5),
        ("nothing", "in common", 0.0),
        ("", "something", 0.0),
        ("the", "a", 0.0),
    ],
)
def test_by_hand(answer: str, reference: str, value: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(value)


@given(st.text(), st.text())
def test_symmetric_and_bounded(one: str, other: str) -> None:
    assert token_f1(one, other) == pytest.approx(token_f1(other, one))
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, one) == (1.0 if normalised(one) else 0.0)
