"""YAML by hand: nothing that was written is lost without a word, and an error is one line with its place."""

import pytest

from components.shared import yaml_text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' stands twice, in lines 1 and 3"),
        ("a: {b: 1, b: 2}", "'b' stands twice, in lines 1 and 1"),
        ("a:\n\tb: 1\n", r"line 2, column 1: .*indent by spaces, not by tabs"),
        ("a: [1, 2\nb: 3}", r"line 2, column \d+: .*sequence that starts in line 1"),
        ("a: 'open", r"line 1, column \d+"),
        ("a: b\0c", "special characters are not allowed"),
        ("a: !!python/object/apply:os.getcwd []", r"line 1, column 4: could not determine a constructor"),
        ("[" * 3_000 + "]" * 3_000, "too deep"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(text: str, said: str) -> None:
    with pytest.raises(yaml_text.NotYamlError, match=said) as raised:
        yaml_text.read(text)
    assert "\n" not in str(raised.value)


def test_a_field_may_stand_beside_the_merge_key_that_brings_it() -> None:
    assert yaml_text.read("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")["b"] == {"x": 3, "y": 2}
