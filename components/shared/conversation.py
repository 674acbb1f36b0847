"""Conversations as tokens: which of them the model has to learn to say."""

from collections.abc import Sequence
from typing import Any

#: Label of a token that is not learned; PyTorch's cross entropy passes over it.
IGNORED = -100

Message = dict[str, str]


#: Put into a control token that stands in somebody's text; it takes no room on a screen.
ZERO_WIDTH_SPACE = "\u200b"


def tokens(tokenizer: Any, messages: Sequence[Message], *, prompt: bool) -> list[int]:
    """Token ids of a conversation in the tokenizer's chat template.

    A control token inside a content (a question, a document, a linked page) stays text: it can neither end
    its message nor open one of another role.

    Args:
        tokenizer: With a chat template.
        messages: Roles and contents.
        prompt: Whether to end with the start of an answer.
    """
    control = tokenizer.all_special_tokens
    found = tokenizer.apply_chat_template(
        [{**one, "content": defused(one["content"], control)} for one in messages],
        add_generation_prompt=prompt,
        tokenize=True,
        return_dict=True,
    )
    return list(found["input_ids"])


def defused(text: str, control: Sequence[str]) -> str:
    """The text with every control token in it broken after its first character.

    Args:
        text: Anybody's text.
        control: Texts that the tokenizer reads as control tokens.
    """
    for one in control:
        if one in text:
            text = text.replace(one, one[:1] + ZERO_WIDTH_SPACE + one[1:])
    return text


def learned(tokenizer: Any, messages: Sequence[Message], limit: int) -> tuple[list[int], list[int]]:
    """Ids and labels of a conversation, both of the same length; only the last answer is learned.

    The end of the answer is kept where the whole is longer than `limit`: the start is cut.

    Args:
        tokenizer: With a chat template.
        messages: The last one is the assistant's.
        limit: Most tokens.
    """
    before = tokens(tokenizer, messages[:-1], prompt=True)
    whole = tokens(tokenizer, messages, prompt=False)
    labels = [IGNORED] * len(before) + whole[len(before) :]
    return whole[-limit:], labels[-limit:]
