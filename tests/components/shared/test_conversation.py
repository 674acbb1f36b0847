"""Control tokens in somebody's text, and which tokens of a conversation are learned."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from components.shared.conversation import IGNORED, ZERO_WIDTH_SPACE, Message, defused, learned

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


WORDS = ("user", "assistant", "what", "holds", "the", "gate", "numbers", "<unk>")
TALK: Sequence[Message] = [
    {"role": "user", "content": "what holds the gate"},
    {"role": "assistant", "content": "the numbers"},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """A token a word; the template puts a role before each message, and the assistant's before an answer."""
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")
    wrapped.chat_template = (
        "{% for one in messages %}{{ one['role'] }} {{ one['content'] }} {% endfor %}"
        "{% if add_generation_prompt %}assistant {% endif %}"
    )
    return wrapped


def test_only_the_tokens_of_the_last_answer_are_learned(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, labels = learned(tokenizer, TALK, 100)
    assert tokenizer.decode(ids) == "user what holds the gate assistant the numbers"
    assert labels[:6] == [IGNORED] * 6
    assert tokenizer.decode(labels[6:]) == "the numbers"


def test_of_a_long_conversation_the_start_is_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, labels = learned(tokenizer, TALK, 3)
    assert tokenizer.decode(ids) == "assistant the numbers"
    assert labels == [IGNORED, *ids[1:]]
