"""Conversations as tokens: which of them the model has to learn to say."""

from collections.abc import Sequence
from typing import Any

#: Label of a token that is not learned; PyTorch's cross entropy passes over it.
IGNORED = -100

Message = dict[str, str]


def tokens(tokenizer: Any, messages: Sequence[Message], *, prompt: bool) -> list[int]:
    """Token ids of a conversation in the tokenizer's chat template.

    Args:
        tokenizer: With a chat template.
        messages: Roles and contents.
        prompt: Whether to end with the start of an answer.
    """
    found = tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=prompt, tokenize=True, return_dict=True
    )
    return list(found["input_ids"])


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
