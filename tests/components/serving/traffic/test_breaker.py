"""The circuit breaker, with a clock of the test's own."""

from dataclasses import dataclass

import pytest

from components.serving.traffic.breaker import Breaker, State
from components.shared.config.access import Breaker as Settings

SETTINGS = Settings(window_seconds=10, calls=4, bad_share=0.5, slow_seconds=2, open_seconds=5, trials=2)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states() -> list[State]:
    return []


@pytest.fixture
def breaker(clock: Clock, states: list[State]) -> Breaker:
    return Breaker(SETTINGS, clock, states.append)


def called(breaker: Breaker, *, failed: bool = False, seconds: float = 0.1) -> bool:
    if not breaker.allows():
        return False
    breaker.note(failed=failed, seconds=seconds)
    return True


def state(breaker: Breaker) -> State:
    """Asked anew: a type checker takes what it has seen of an attribute to last."""
    return breaker.state


def opened(breaker: Breaker) -> None:
    for _ in range(4):
        called(breaker, failed=True)
    assert breaker.state is State.OPEN


def test_few_failures_conclude_nothing(breaker: Breaker) -> None:
    assert all(called(breaker, failed=True) for _ in range(3))
    assert breaker.state is State.CLOSED


def test_a_share_of_failures_opens_it(breaker: Breaker) -> None:
    for failed in (False, True, False):
        called(breaker, failed=failed)
    assert state(breaker) is State.CLOSED
    called(breaker, failed=True)
    assert breaker.state is State.OPEN
    assert not called(breaker)


def test_slow_calls_count_as_failures(breaker: Breaker) -> None:
    for _ in range(4):
        called(breaker, seconds=2.0)
    assert breaker.state is State.OPEN


def test_old_calls_are_forgotten(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        called(breaker, failed=True)
    clock.now += 10
    called(breaker, failed=True)
    assert breaker.state is State.CLOSED


def test_failures_that_are_forgotten_count_against_nobody(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        called(breaker, failed=True)
    clock.now += 10
    for failed in (False, False, False, True):
        called(breaker, failed=failed)
    assert breaker.state is State.CLOSED


def test_it_closes_by_itself_after_good_trials(breaker: Breaker, clock: Clock, states: list[State]) -> None:
    opened(breaker)
    clock.now += 4.9
    assert not called(breaker)
    clock.now += 0.1
    assert called(breaker)
    assert state(breaker) is State.HALF_OPEN
    assert called(breaker)
    assert states == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    # What was before does not count any more.
    assert called(breaker, failed=True)
    assert breaker.state is State.CLOSED


def test_a_bad_trial_opens_it_again_for_as_long(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 5
    called(breaker, failed=True)
    clock.now += 4.9
    assert not called(breaker)
    clock.now += 0.1
    assert called(breaker)


def test_half_open_lets_through_no_more_than_the_trials(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 5
    assert breaker.allows()
    assert breaker.allows()
    assert not breaker.allows()
    breaker.forget()  # its caller left: another one may try
    assert breaker.allows()
    assert not breaker.allows()
    breaker.note(failed=False, seconds=0.1)
    assert not breaker.allows()
    breaker.note(failed=False, seconds=0.1)
    assert breaker.state is State.CLOSED


def test_late_ends_of_calls_from_before_do_no_harm(breaker: Breaker, clock: Clock) -> None:
    assert breaker.allows()
    opened(breaker)
    breaker.note(failed=False, seconds=0.1)
    assert breaker.state is State.OPEN
