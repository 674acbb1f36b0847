"""How far a loaded model is from answers that it should give."""

from collections.abc import Callable, Sequence
from typing import Any

from components.adapters.foundation.model import Foundation
from components.shared import conversation
from components.shared.conversation import IGNORED, Message
from components.shared.errors import ConfigError


def losses(
    foundation: Foundation,
    examples: Sequence[Sequence[Message]],
    *,
    max_tokens: int,
    batch_size: int = 8,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[float]:
    """Mean cross entropy per answer token of each example, in nats, in the order of the examples.

    Args:
        foundation: The model.
        examples: Conversations that end with the answer.
        max_tokens: Longest example; of a longer one the start is cut.
        batch_size: Examples of one forward pass.
        report: Called with examples done and in all.
    """
    import torch

    pairs = [conversation.learned(foundation.tokenizer, one, max_tokens) for one in examples]
    order = sorted(range(len(pairs)), key=lambda at: len(pairs[at][0]))
    device, pad = foundation.model.device, foundation.tokenizer.pad_token_id
    found = [0.0] * len(pairs)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        longest = max(len(pairs[at][0]) for at in batch)

        def filled(rows: list[list[int]], filler: int, length: int = longest) -> Any:
            return torch.tensor([row + [filler] * (length - len(row)) for row in rows], device=device)

        labels = filled([pairs[at][1] for at in batch], IGNORED)
        with torch.inference_mode():
            each = token_losses(
                foundation.model,
                labels,
                input_ids=filled([pairs[at][0] for at in batch], pad),
                attention_mask=filled([[1] * len(pairs[at][0]) for at in batch], 0),
            )
        chosen = labels[:, 1:] != IGNORED
        sums = torch.zeros(len(batch), device=device).index_add(0, chosen.nonzero()[:, 0], each)
        means = sums / chosen.sum(1).clamp(min=1)
        for at, value in zip(batch, means.tolist(), strict=True):
            found[at] = float(value)
        report(min(start + batch_size, len(order)), len(order))
    return found


def token_losses(model: Any, labels: Any, **inputs: Any) -> Any:
    """Cross entropy of every learned token, in nats, float32, shape (learned tokens,).

    The head runs on learned tokens only: with 49,152 words, logits of all tokens would be work for nothing.
    `make bench` holds it against a loop that computes them all.

    Args:
        model: A causal language model without wrapper.
        labels: Shape (rows, tokens); `IGNORED` where nothing is learned.
        **inputs: `input_ids` and what else the model takes, of the same shape.

    Raises:
        ConfigError: The model alters its logits after the head.
    """
    import torch

    for name in ("final_logit_softcapping", "logits_scaling", "logit_scale"):
        if getattr(model.config, name, None):
            raise ConfigError(
                f"foundation.model has '{name}' in its config, which fine-tuning does not know",
                remedy="use a model without it",
            )
    hidden = model.get_decoder()(**inputs, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    chosen = targets != IGNORED
    logits = model.get_output_embeddings()(hidden[chosen]).float()
    return torch.nn.functional.cross_entropy(logits, targets[chosen], reduction="none")
