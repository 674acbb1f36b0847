"""Many answers of a loaded model, in batches."""

import time
from collections.abc import Callable, Sequence

from components.adapters.foundation.model import Foundation
from components.shared import conversation
from components.shared.conversation import Message
from components.shared.generation import Answer


def generate(
    foundation: Foundation,
    prompts: Sequence[Sequence[Message]],
    *,
    max_new_tokens: int,
    batch_size: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Answer]:
    """Greedy answers, in the order of the prompts; prompts of like length share a batch.

    Args:
        foundation: The model.
        prompts: Conversations that wait for an answer.
        max_new_tokens: Longest answer.
        batch_size: Conversations answered together.
        report: Called with answers done and in all.
    """
    import torch

    tokenizer = foundation.tokenizer
    ids = [conversation.tokens(tokenizer, one, prompt=True) for one in prompts]
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    answers: dict[int, Answer] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        padded = tokenizer.pad(
            {"input_ids": [ids[at] for at in batch]}, padding_side="left", return_tensors="pt"
        )
        begun = time.perf_counter()
        with torch.inference_mode():
            made = foundation.model.generate(
                **padded,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
        share = (time.perf_counter() - begun) / len(batch)
        rows = made[:, padded["input_ids"].shape[1] :].tolist()
        said = tokenizer.batch_decode(rows, skip_special_tokens=True)
        for at, row, text in zip(batch, rows, said, strict=True):
            generated = _generated(row, tokenizer.eos_token_id)
            answers[at] = Answer(text.strip(), len(ids[at]), generated, share)
        report(min(start + batch_size, len(order)), len(order))
    return [answers[at] for at in range(len(ids))]


def _generated(row: Sequence[int], end: int) -> int:
    """Tokens of an answer with the one that ends it, without what fills the batch up."""
    return row.index(end) + 1 if end in row else len(row)
