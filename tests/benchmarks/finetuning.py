"""Fine-tuning against a bare forward and backward pass of the very same batch."""

import time
from itertools import cycle, islice
from pathlib import Path

from tests.benchmarks.report import Row

STEPS = 3


def ratio(folder: Path) -> list[Row]:
    """Tokens a second of stage finetune's loop over those of a loop that only computes loss and gradients."""
    import torch

    from components.adapters import foundation
    from components.adapters.artifacts.contract import require_latest
    from components.finetune import packing, training, work
    from components.runtime.context import Context
    from components.shared import conversation
    from components.shared.config import load

    context = Context(load(folder / "twinstack.yaml"), "docs", "finetune")
    dataset = require_latest(context.stores.artifacts, "docs", ("instruct",))
    settings = context.llm.training.model_copy(update={"steps": STEPS})
    base = foundation.base(context.llm.foundation, context.config.state_path / "foundation", dtype="bfloat16")
    examples = work.read(dataset, "train")
    pairs = packing.epochs(
        len(examples),
        lambda at: conversation.learned(base.tokenizer, examples[at], context.llm.foundation.context_tokens),
        settings.sequence_tokens,
        0,
    )
    packs = packing.packs(pairs, settings.sequence_tokens)
    group = next(
        iter(
            packing.batches(packs, settings.batch_size, settings.sequence_tokens, base.tokenizer.pad_token_id)
        )
    )
    model = training.adapted(base.model, settings, 0)
    batch = training.tensors(group, model.device)
    # The bare loop computes every logit, as a loop that takes a model's own `labels` argument does.
    labels = batch["labels"]
    model.train()

    def bare() -> None:
        out = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], labels=labels)
        out.loss.backward()
        model.zero_grad(set_to_none=True)

    bare()  # the first pass pays for memory
    start = time.perf_counter()
    for _ in range(STEPS):
        bare()
    floor = time.perf_counter() - start
    training.fit(model, islice(cycle([group]), 1), settings, lambda *_: None)
    outcome = training.fit(model, cycle([group]), settings, lambda *_: None)
    tokens = float(torch.numel(batch["input_ids"]) * STEPS)
    return [
        Row(
            "fine-tuning",
            tokens / outcome.seconds,
            "tokens/s",
            tokens / floor,
            "tokens/s, bare forward+backward",
        )
    ]
