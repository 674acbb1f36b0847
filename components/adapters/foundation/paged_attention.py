"""Attention of transformers' continuous batching on a CPU: each request over its own part of the cache.

Without a kernel for paged caches transformers copies the keys and values of all requests behind each other,
repeats them for every head and masks what belongs to others, in every layer: with several long prompts most
of a pass. Here a request's blocks are read where they lie, by PyTorch's own kernel, so nothing is masked that
nobody asks for, and what a request gets does not depend on its neighbours.
"""

import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

#: Name under which transformers finds the function.
NAME = "twinstack_paged"


@dataclass(frozen=True)
class Span:
    """One request in a pass.

    Attributes:
        start: Its first row in the pass.
        rows: How many rows it has.
        blocks: Page of the cache and tokens there, in order; empty if all its keys are in the pass.
        mask: Shape (rows, tokens), true where a row may look; None if it may look everywhere.
    """

    start: int
    rows: int
    blocks: tuple[tuple[int, int], ...]
    mask: torch.Tensor | None


#: What the last pass of a thread was: all its layers read alike.
_last = threading.local()


def install(model: Any) -> bool:
    """Let a model on a CPU attend this way, if it does nothing else than full attention.

    Call it when the batching manager is made, and before it starts.

    Returns:
        Whether it does.
    """
    from transformers import AttentionInterface

    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    plain = config._attn_implementation == "sdpa" and model.device.type == "cpu"
    if not plain or kinds or getattr(config, "sliding_window", None):
        return False
    AttentionInterface.register(NAME, attend)
    model.set_attn_implementation(NAME)
    return True


def remove(model: Any) -> None:
    """Let a model attend as it did before `install`."""
    if model.config.get_text_config()._attn_implementation == NAME:
        model.set_attn_implementation("sdpa")


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    cache: Any,
    **pass_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer over the rows of all requests in a pass, by transformers' interface.

    Args:
        module: The layer.
        query: Shape (1, heads, rows, size).
        key: Shape (1, key heads, rows, size); goes into the cache, as does `value`.
        value: Like `key`.
        attention_mask: None, for who may see what follows from where requests begin.
        scaling: Of the logits; the square root of the size if None.
        cache: The paged cache.
        **pass_: Where requests begin, and where in the cache they are read and written.

    Returns:
        Shape (1, rows, heads, size), and no weights.
    """
    allocator = cache.layer_to_allocator[module.layer_idx]
    spans = _spans(allocator, pass_)
    keys, values = allocator.get_cache_for_block_table(module.layer_idx)
    written = pass_["write_index"][allocator.index]
    keys.flatten(0, 1).index_copy_(0, written, key[0].transpose(0, 1))
    values.flatten(0, 1).index_copy_(0, written, value[0].transpose(0, 1))
    keys, values = keys.transpose(1, 2), values.transpose(1, 2)  # (pages, key heads, tokens, size)
    found = []
    for one in spans:
        end = one.start + one.rows
        seen = (
            (_read(keys, one.blocks), _read(values, one.blocks))
            if one.blocks
            else (key[:, :, one.start : end], value[:, :, one.start : end])
        )
        found.append(_attended(query[:, :, one.start : end], *seen, one, scaling))
    return (found[0] if len(found) == 1 else torch.cat(found, 1)), None


def _spans(allocator: Any, pass_: dict[str, Any]) -> tuple[Span, ...]:
    """The requests of a pass, worked out by its first layer."""
    reads = pass_["read_index"]
    if getattr(_last, "reads", None) is not reads:
        _last.spans = _planned(allocator, pass_)
        _last.reads = reads  # held, so that no other pass can have the same
    spans: tuple[Span, ...] = _last.spans
    return spans


def _planned(allocator: Any, pass_: dict[str, Any]) -> tuple[Span, ...]:
    page: int = allocator.tokens_per_page
    index: list[int] = pass_["read_index"][allocator.index].tolist()
    starts = pairwise(pass_["cu_seq_lens_q"].tolist())
    reads = pairwise(pass_["cu_seq_lens_k"][allocator.layer_type].tolist())
    spans = []
    for (start, end), (first, last) in zip(starts, reads, strict=True):
        rows, tokens = end - start, last - first
        blocks = tuple((index[at] // page, min(page, last - at)) for at in range(first, last, page) if index)
        partly = 1 < rows < tokens
        mask = torch.ones(rows, tokens, dtype=torch.bool).tril(tokens - rows) if partly else None
        spans.append(Span(start, rows, blocks if rows < tokens else (), mask))
    return tuple(spans)


def _read(pages: torch.Tensor, blocks: tuple[tuple[int, int], ...]) -> torch.Tensor:
    """Keys or values of a request, shape (1, key heads, tokens, size); a view if they lie in one block."""
    pieces = [pages[at : at + 1, :, :tokens] for at, tokens in blocks]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, 2)


def _attended(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, span: Span, scaling: float | None
) -> torch.Tensor:
    """Shape (1, rows, heads, size)."""
    heads, size = query.shape[1], query.shape[3]
    groups = heads // key.shape[1]
    if span.rows == 1:
        # Heads that share a key are rows to it.
        packed = query.reshape(1, key.shape[1], groups, size)
        return scaled_dot_product_attention(packed, key, value, scale=scaling).reshape(1, 1, heads, size)
    made = scaled_dot_product_attention(
        query,
        key.repeat_interleave(groups, 1),
        value.repeat_interleave(groups, 1),
        attn_mask=span.mask,
        is_causal=span.mask is None,
        scale=scaling,
    )
    return made.transpose(1, 2)
