"""Foundation model: weights from a package or a folder, with a LoRA adapter, to answers and losses."""

import contextlib
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.adapters import converted, objects
from components.adapters.encoder import packaged
from components.shared import conversation
from components.shared.config.llm import Foundation as Settings
from components.shared.conversation import IGNORED, Message
from components.shared.errors import ConfigError
from components.shared.files import locked
from components.shared.generation import Answer

Report = Callable[[int, int], None]
Note = Callable[[str], None]


def _silent(*_: object) -> None:
    """Reports to nobody."""


@dataclass(frozen=True)
class Foundation:
    """A loaded model and its tokenizer."""

    model: Any
    tokenizer: Any


def weights(settings: Settings, cache: Path, note: Note = _silent) -> Path:
    """Folder of safetensors weights.

    GGUF weights that the image holds converted are taken from there. Others are converted once (20 s for
    SmolLM2-135M) and kept below `cache`; a killed conversion leaves nothing that is taken for whole.

    Raises:
        ConfigError: The model is not installed or does not exist.
    """
    scheme, _, place = settings.model.partition("://")
    if scheme == "s3":
        return objects.fetched(settings.model, cache)
    if scheme == "hf":
        from huggingface_hub import snapshot_download

        # Token, mirror and cache come from the environment, as every tool of the hub reads them.
        return Path(
            snapshot_download(place, allow_patterns=["*.json", "*.safetensors", "*.model", "*.jinja"])
        )
    source = packaged(settings.model, "foundation.model")
    if source.is_dir():
        return source
    name = converted.name(source)
    if (converted.READY / name).is_dir():
        return converted.READY / name
    folder = cache / name
    with locked(cache / f".{folder.name}.lock"):
        if not folder.exists():
            note(f"converting {source.name} to safetensors, once")
            aside = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(aside, ignore_errors=True)
            converted.convert(source, aside)
            aside.rename(folder)
    return folder


def load(
    settings: Settings,
    cache: Path,
    *,
    adapter: Path | None = None,
    streams: bool = False,
    note: Note = _silent,
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

    from components.adapters.packed import pack

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


def base(settings: Settings, cache: Path, *, dtype: str, note: Note = _silent) -> Foundation:
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


def generate(
    foundation: Foundation,
    prompts: Sequence[Sequence[Message]],
    *,
    max_new_tokens: int,
    batch_size: int,
    report: Report = _silent,
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


def losses(
    foundation: Foundation,
    examples: Sequence[Sequence[Message]],
    *,
    max_tokens: int,
    batch_size: int = 8,
    report: Report = _silent,
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
