"""Shares of the traffic: sticky, even, and independent from one release to the next; and the retry budget."""

from components.serving.traffic.retries import SAVED, RetryBudget
from components.serving.traffic.routing import belongs, fraction

KEYS = [f"user-{number}" for number in range(20_000)]


def test_a_key_stays_where_it_is() -> None:
    first = [belongs("r1", 0.1, key) for key in KEYS[:100]]
    assert first == [belongs("r1", 0.1, key) for key in KEYS[:100]]


def test_shares_are_kept() -> None:
    for share in (0.01, 0.1, 0.5):
        got = sum(belongs("r1", share, key) for key in KEYS) / len(KEYS)
        # Five standard deviations of a binomial.
        assert abs(got - share) < 5 * (share * (1 - share) / len(KEYS)) ** 0.5


def test_who_belongs_to_a_small_share_belongs_to_a_larger_one() -> None:
    assert all(belongs("r1", 0.5, key) for key in KEYS if belongs("r1", 0.1, key))


def test_everybody_belongs_to_the_whole() -> None:
    assert all(belongs("r1", 1.0, key) for key in KEYS)
    assert all(0 <= fraction("r1", key) < 1 for key in KEYS)


def test_another_release_chooses_others() -> None:
    both = sum(belongs("r1", 0.1, key) and belongs("r2", 0.1, key) for key in KEYS)
    assert 0.005 < both / len(KEYS) < 0.02


def test_retries_are_a_share_of_the_requests() -> None:
    budget = RetryBudget(0.1)
    assert sum(budget.take() for _ in range(1000)) == SAVED
    taken = 0
    for _ in range(1000):
        budget.deposit()
        taken += budget.take()
    assert 99 <= taken <= 101


def test_a_share_of_0_turns_retries_off() -> None:
    budget = RetryBudget(0)
    budget.deposit()
    assert not budget.take()
