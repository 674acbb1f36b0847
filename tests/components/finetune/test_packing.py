"""Packing loses nothing, wastes little, and is the same for the same seed."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.finetune.packing import Pair, batches, epochs, packs
from components.shared.conversation import IGNORED
from components.shared.errors import DataError

LENGTH = 32


def pair(size: int, number: int = 0) -> Pair:
    ids = [1000 * number + at for at in range(size)]
    return ids, [IGNORED] * (size - 1) + ids[-1:]


@given(st.lists(st.integers(min_value=2, max_value=LENGTH), max_size=80))
def test_every_example_is_packed_once_and_whole(sizes: list[int]) -> None:
    pairs = [pair(size, number) for number, size in enumerate(sizes)]
    found: list[list[int]] = []
    for one in packs(pairs, LENGTH):
        assert len(one.ids) == len(one.labels) == len(one.positions) <= LENGTH
        starts = [at for at, position in enumerate(one.positions) if position == 0]
        found += [one.ids[a:b] for a, b in zip(starts, [*starts[1:], len(one.ids)], strict=True)]
        assert all(one.labels[at] == IGNORED for at in starts)
    assert sorted(found) == sorted(ids for ids, _ in pairs)


def test_little_is_padding() -> None:
    pairs = islice(epochs(50, lambda at: pair(3 + at % 17, at), LENGTH, seed=1), 500)
    filled = [len(one.ids) for one in packs(pairs, LENGTH)]
    assert sum(filled) / (LENGTH * len(filled)) > 0.95


def test_padding_teaches_nothing_and_is_an_example_of_its_own() -> None:
    (one,) = (pack.padded(LENGTH, 9) for pack in packs([pair(5)], LENGTH))
    assert len(one.ids) == len(one.labels) == len(one.positions) == LENGTH
    assert one.labels[5:] == [IGNORED] * 27
    assert one.positions[5:] == [*range(27)]


def test_batches_have_one_shape() -> None:
    found = batches(packs([pair(20, number) for number in range(5)], LENGTH), 2, LENGTH, 0)
    assert [[len(one.ids) for one in group] for group in found] == [[LENGTH] * 2] * 2


def test_epochs_repeat_for_a_seed_and_differ_between_epochs_and_seeds() -> None:
    def order(seed: int) -> list[int]:
        return [ids[0] // 1000 for ids, _ in islice(epochs(20, lambda at: pair(4, at), LENGTH, seed), 40)]

    assert order(1) == order(1)
    assert order(1) != order(2)
    first, second = order(1)[:20], order(1)[20:]
    assert sorted(first) == sorted(second) == [*range(20)]
    assert first != second


def test_what_does_not_fit_is_passed_over_and_nothing_at_all_is_an_error() -> None:
    sizes = [4, LENGTH + 1]
    found = islice(epochs(2, lambda at: pair(sizes[at]), LENGTH, seed=1), 3)
    assert [len(ids) for ids, _ in found] == [4, 4, 4]
    with pytest.raises(DataError, match=r"none of 3 examples fits 32 tokens.*raise training.sequence_tokens"):
        next(epochs(3, lambda _: pair(LENGTH + 1), LENGTH, seed=1))
