"""What a late label says: by name, by number, and what is no class at all."""

from typing import Any

import pytest

from components.dataflows.outcomes import UnknownClassError, positive
from components.shared.config.classic import Table


def table(positive: str, **column: Any) -> Table:
    return Table(path="t.csv", columns={"label": column}, label="label", positive=positive)


NAMED = table("bad", type="text", allowed=("good", "bad"))
OPEN = table("bad", type="text")
DIGITS = table("01", type="text", allowed=("01", "02"))
REPAID = table("0", type="integer", minimum=0, maximum=1)
GRADES = table("2", type="integer", minimum=1, maximum=2)


@pytest.mark.parametrize(
    ("declared", "value", "hit"),
    [
        (NAMED, "bad", True), (NAMED, "good", False), (NAMED, 1, True), (NAMED, "1.0", True),
        (NAMED, 0.0, False), (NAMED, "0", False),
        (OPEN, "bad", True), (OPEN, "good", False), (OPEN, 1.0, True), (OPEN, "0", False),
        (DIGITS, "01", True), (DIGITS, "02", False),
        (REPAID, 0.0, True), (REPAID, "0", True), (REPAID, 1.0, False), (REPAID, "1", False),
        (GRADES, 2.0, True), (GRADES, "2", True), (GRADES, 1, False),
    ],
)  # fmt: skip
def test_a_class_is_known_by_its_name_or_its_number(declared: Table, value: str | float, hit: bool) -> None:
    assert positive(declared, value) is hit


@pytest.mark.parametrize(
    ("declared", "value", "allowed"),
    [
        (NAMED, "Bad", "bad, good, or 1 for bad and 0 for another"),
        (NAMED, 2.0, "bad, good"),
        (NAMED, "", "bad, good"),
        (DIGITS, "03", "01, 02"),
        (REPAID, "2", "an integer from 0 to 1"),
        (GRADES, 1.5, "an integer from 1 to 2"),
        (GRADES, "two", "an integer from 1 to 2"),
    ],
)
def test_what_is_no_class_is_refused_with_those_that_are(
    declared: Table, value: str | float, allowed: str
) -> None:
    with pytest.raises(UnknownClassError, match=allowed):
        positive(declared, value)


@pytest.mark.parametrize(
    ("positive_one", "column", "why"),
    [
        (
            "worse",
            {"type": "text", "allowed": ["good", "bad"]},
            "is 'worse'; allowed: one of good, bad",
        ),
        ("bad", {"type": "integer", "minimum": 0}, "positive is 'bad'; allowed: an integer from 0"),
    ],
)
def test_a_positive_class_that_the_column_cannot_hold_is_refused(
    positive_one: str, column: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        table(positive_one, **column)
