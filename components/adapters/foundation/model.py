"""A foundation model with its tokenizer, loaded to be trained or, merged and packed, to answer."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.adapters.foundation.located import Note, weights
from components.shared.config.llm import Foundation as Settings


@dataclass(frozen=True)
class Foundation:
    """A loaded model and its tokenizer."""

    model: Any
    tokenizer: Any


def load(
    settings: Settings,
    cache: Path,
    *,
    adapter: Path | None = None,
    streams: bool = False,
    note: Note = lambda _: None,
) -> Foundation:
    """The model in bfloat16, an adapter merged into it and packed: to answer, not to train.

    Merging happens in float32: in bfloat16 it would move logits by up to 0.75.

    Args:
        settings: Which model.
        cache: Folder of converted weights.
        adapter: Folder of a LoRA adapter.
        streams: Whether single answers are written as they are asked for, not batches: for more memory,
            a small model does so faster.
        note: Called with what takes long.

    Raises:
        ConfigError: The model is not installed or does not exist.
    """
    import torch

    from components.adapters.foundation.packed import pack

    # As they lie on disk the weights are mapped, not read: what is neither merged nor packed is shared.
    found = base(settings, cache, dtype="auto" if adapter else "bfloat16", note=note)
    threads = torch.get_num_threads() if streams else 0
    with _one_thread():
        model = merged(found.model, adapter) if adapter else found.model
        return Foundation(pack(model, threads=threads), found.tokenizer)


def merged(model: Any, adapter: Path) -> Any:
    """The model with an adapter in its weights, in bfloat16; one layer at a time is in float32."""
    import torch
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTunerLayer

    tuned: Any = PeftModel.from_pretrained(model, str(adapter))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="All adapters are already merged")
        for layer in tuned.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.get_base_layer().to(torch.float32)
                layer.merge()
                layer.get_base_layer().to(torch.bfloat16)
        return tuned.merge_and_unload().to(torch.bfloat16).eval()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Hundreds of small products run on one thread: beside a model that answers, several would mostly wait
    for each other (measured: 14 s instead of 1.8 s)."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def base(settings: Settings, cache: Path, *, dtype: str, note: Note = lambda _: None) -> Foundation:
    """The model without an adapter, in a precision that PyTorch names, or in that of its files: `auto`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    folder = weights(settings, cache, note)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype if dtype == "auto" else getattr(torch, dtype)
    )
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Foundation(model, tokenizer)
