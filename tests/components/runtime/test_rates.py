"""Limits of one key, with clocks of the test's own."""

from dataclasses import dataclass
from typing import Any

import pytest

from components.runtime.rates import DAY, SOON, Allowance, RateError
from components.shared.errors import TooLargeError
from components.shared.identity import Key, hash_of


@dataclass
class Clock:
    now: float

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(50.0)


@pytest.fixture
def wall() -> Clock:
    return Clock(20_000 * DAY + 3_600)


def allowance(clock: Clock, wall: Clock, **limits: Any) -> Allowance:
    return Allowance(Key(id="a", hash=hash_of("x"), **limits), clock, wall)


def test_other_limits_of_a_key_do_not_give_it_a_new_day(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, tokens_per_day=100, concurrency=2)
    mine.enter()
    mine.reserve(60)(60)
    mine.change(Key(id="a", hash=hash_of("y"), tokens_per_day=200, concurrency=1))
    assert mine.spent == pytest.approx(0.3)
    with pytest.raises(RateError, match="1 requests open"):
        mine.enter()


def test_a_rate_allows_a_burst_and_then_its_pace(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, requests_per_minute=60)
    for _ in range(10):
        mine.enter()
    with pytest.raises(RateError) as caught:
        mine.enter()
    assert caught.value.retry_after == pytest.approx(1.0)
    assert caught.value.http_status == 429
    clock.now += 1
    mine.enter()
    with pytest.raises(RateError):
        mine.enter()


def test_a_small_rate_still_lets_one_through(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, requests_per_minute=1)
    mine.enter()
    with pytest.raises(RateError) as caught:
        mine.enter()
    assert caught.value.retry_after == pytest.approx(60.0)


def test_a_quiet_hour_saves_up_no_more_than_a_burst(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, requests_per_minute=60)
    clock.now += 3_600
    for _ in range(10):
        mine.enter()
    with pytest.raises(RateError):
        mine.enter()


def test_requests_at_a_time_are_counted_out_again(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, concurrency=2)
    mine.enter()
    mine.enter()
    with pytest.raises(RateError, match="2 requests open"):
        mine.enter()
    mine.leave()
    mine.enter()


def test_refused_requests_take_no_place(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, concurrency=1, requests_per_minute=1)
    mine.enter()
    mine.leave()
    for _ in range(3):
        with pytest.raises(RateError, match="a minute"):
            mine.enter()
    clock.now += 60
    mine.enter()


def test_tokens_are_reserved_and_settled(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, tokens_per_day=100)
    mine.enter()
    settle = mine.reserve(80)
    with pytest.raises(RateError, match="20 of 100 tokens left"):
        mine.reserve(30)
    settle(40)
    assert mine.spent == pytest.approx(0.4)
    mine.reserve(60)(60)
    with pytest.raises(RateError) as caught:
        mine.enter()
    assert caught.value.retry_after == DAY - 3_600


def test_tokens_that_running_requests_hold_are_soon_back(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, tokens_per_day=100)
    settle = mine.reserve(80)
    with pytest.raises(RateError) as caught:
        mine.reserve(30)
    assert caught.value.retry_after == SOON, "the day is not over, only the other request is not"
    settle(10)
    mine.reserve(30)(30)


def test_a_request_above_the_whole_budget_is_not_told_to_come_back(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, tokens_per_day=100)
    with pytest.raises(TooLargeError, match="101 tokens, key 'a' has 100 a day"):
        mine.reserve(101)
    mine.reserve(40)
    with pytest.raises(RateError, match="60 of 100 tokens left"):
        mine.reserve(100)  # a whole budget, on another day


def test_a_new_day_brings_new_tokens(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall, tokens_per_day=100)
    settle = mine.reserve(100)
    wall.now += DAY
    mine.reserve(20)(20)
    settle(70)  # answered after midnight: counted where it ended
    assert mine.spent == pytest.approx(0.9)


def test_no_limits_limit_nothing(clock: Clock, wall: Clock) -> None:
    mine = allowance(clock, wall)
    for _ in range(1000):
        mine.enter()
        mine.reserve(10**9)
    assert mine.spent == 0
