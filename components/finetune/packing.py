"""Examples of any length in sequences of one length, so that little of a forward pass is padding.

Position ids start again with every example. transformers reads that, where no attention mask is given, as a
packed sequence, and keeps examples from seeing each other; a test holds it to that.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from components.shared.conversation import IGNORED
from components.shared.errors import DataError

#: Ids and labels of one example, of the same length. The first label is never learned.
Pair = tuple[list[int], list[int]]

#: Sequences that are filled side by side: more waste less padding, and read further ahead.
OPEN = 16


@dataclass
class Pack:
    """Some examples in a row.

    Attributes:
        ids: Token ids.
        labels: Token ids to be learned, `IGNORED` elsewhere.
        positions: Place of each token in its own example.
    """

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Append an example."""
        self.ids += pair[0]
        self.labels += pair[1]
        self.positions += range(len(pair[0]))

    def padded(self, length: int, pad: int) -> "Pack":
        """A copy of `length` tokens; the padding is an example of its own, of which nothing is learned."""
        room = length - len(self.ids)
        return Pack(self.ids + [pad] * room, self.labels + [IGNORED] * room, [*self.positions, *range(room)])


def packs(pairs: Iterable[Pair], length: int) -> Iterator[Pack]:
    """Fill sequences of at most `length` tokens, each example into the fullest open one that has room.

    Args:
        pairs: None longer than `length`.
        length: Most tokens of a sequence.
    """
    filling: list[Pack] = []
    for pair in pairs:
        fitting = [one for one in filling if len(one.ids) + len(pair[0]) <= length]
        if not fitting:
            if len(filling) == OPEN:
                fullest = max(filling, key=lambda one: len(one.ids))
                filling.remove(fullest)
                yield fullest
            fitting = [Pack()]
            filling += fitting
        max(fitting, key=lambda one: len(one.ids)).add(pair)
    yield from sorted(filling, key=lambda one: -len(one.ids))


def epochs(count: int, encode: Callable[[int], Pair], length: int, seed: int) -> Iterator[Pair]:
    """Examples without end, each epoch in an order of its own; what is longer than `length` is passed over.

    Args:
        count: How many examples there are.
        encode: Ids and labels of the example of a number.
        length: Most tokens of an example.
        seed: Fixes the orders.

    Raises:
        DataError: No example fits.
    """
    epoch = 0
    while True:
        order = [*range(count)]
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311 - an order, not a secret
        fitted = 0
        for at in order:
            pair = encode(at)
            if len(pair[0]) <= length:
                fitted += 1
                yield pair
        if not fitted:
            raise DataError(
                f"none of {count} examples fits {length} tokens",
                where="training.sequence_tokens",
                remedy="raise training.sequence_tokens, or lower instruct.max_answer_characters",
            )
        epoch += 1


def batches(found: Iterator[Pack], size: int, length: int, pad: int) -> Iterator[Sequence[Pack]]:
    """Groups of `size` sequences, each padded to `length` tokens; an incomplete last group is left out."""
    group: list[Pack] = []
    for one in found:
        group.append(one.padded(length, pad))
        if len(group) == size:
            yield group
            group = []
