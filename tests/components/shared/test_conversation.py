"""Control tokens in somebody's text."""

from hypothesis import given
from hypothesis import strategies as st

from components.shared.conversation import ZERO_WIDTH_SPACE, defused

CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")


@given(st.lists(st.sampled_from([*CONTROL, "<|", "|>", "im_end", "<", "hello"]), max_size=12))
def test_no_control_token_is_left_and_nothing_else_changes(parts: list[str]) -> None:
    text = "".join(parts)
    found = defused(text, CONTROL)
    assert not any(one in found for one in CONTROL)
    assert found.replace(ZERO_WIDTH_SPACE, "") == text


def test_text_without_any_is_the_same_object() -> None:
    text = "What does <b>bold</b> mean?"
    assert defused(text, CONTROL) is text
