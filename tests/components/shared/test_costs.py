"""Prices: of tokens, of a machine, of one model among several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.shared.config.costs import Costs, MachineCosts, Prices

TOKENS = st.integers(min_value=0, max_value=1_000_000)
PRICE = st.floats(min_value=0, max_value=1_000, allow_nan=False)


@given(PRICE, PRICE, TOKENS, TOKENS, TOKENS, TOKENS)
def test_cost_is_additive_in_tokens(
    prompt: float, completion: float, read: int, made: int, read_more: int, made_more: int
) -> None:
    prices = Prices(prompt=prompt, completion=completion)
    both = prices.of_tokens(read, made) + prices.of_tokens(read_more, made_more)
    assert prices.of_tokens(read + read_more, made + made_more) == pytest.approx(both)


def test_prices_are_those_of_a_million_tokens_and_of_an_hour() -> None:
    prices = Prices(prompt=0.15, completion=0.6, hour=1.8)
    assert prices.of_tokens(1_000_000, 500_000) == pytest.approx(0.45)
    assert prices.of_seconds(2) == pytest.approx(0.001)


def test_each_model_has_its_own_prices_and_the_others_those_of_all() -> None:
    costs = Costs(prompt=1, models={"http://h/v1#m": Prices(prompt=2, hour=3)})
    assert costs.of("http://h/v1#m") == Prices(prompt=2, hour=3)
    assert costs.of("package:a/b.gguf") == Prices(prompt=1)


def test_no_price_is_not_a_price_of_nothing() -> None:
    assert not Costs().of("any").known
    assert Prices(prompt=0).known
    assert not MachineCosts(currency="EUR").prices.known


@pytest.mark.parametrize("wrong", [{"currency": "euro"}, {"hour": -1}, {"models": {"m": {"token": 1}}}])
def test_a_wrong_price_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Costs(**wrong)
