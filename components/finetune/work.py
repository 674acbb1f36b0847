"""The training itself, the same in the stage's own process and in each of many on a cluster."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.runtime.context import Context
from components.shared import digest
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    from components.adapters.foundation.model import Foundation
    from components.finetune.checkpoint import Checkpoint
    from components.finetune.ranks import Ranks
    from components.finetune.training import Outcome

    Grouping = Callable[[Any], Ranks]

Conversation = list[dict[str, str]]


def train(
    context: Context,
    dataset: Manifest,
    folder: Path,
    checkpoint: "Checkpoint",
    grouping: "Grouping | None" = None,
) -> "Outcome":
    """Train an adapter and leave its files in a folder.

    Args:
        context: Of stage finetune.
        dataset: What is trained on.
        folder: Receives the adapter, from the first process.
        checkpoint: Where progress is kept.
        grouping: Joins the model to the other processes; not given where this one is alone.

    Raises:
        ConfigError: The foundation model is not there.
        DataError: No example fits a sequence.
    """
    from components.adapters import foundation
    from components.finetune import training
    from components.finetune.ranks import Ranks

    twin = context.llm
    examples = read(dataset, "train")
    cache = context.config.state_path / "foundation"
    base = foundation.base(twin.foundation, cache, dtype="bfloat16", note=context.progress.note)
    model = training.adapted(base.model, twin.training, twin.seed)
    ranks = grouping(model) if grouping else Ranks(model)
    outcome = _fit(context, base, model, examples, checkpoint, ranks)
    if ranks.rank == 0:
        training.save(model, folder, twin.foundation.model)
    return outcome


def key_of(context: Context, dataset: Manifest) -> str:
    """Name of this very training; another length, dataset or code is another training."""
    twin, code = context.llm, digest.of_code("finetune", "adapters", "shared")
    parts = [code, twin.training.model_dump(), twin.foundation.model, twin.seed, dataset.version]
    return digest.of_json(parts)


def _fit(
    context: Context,
    base: "Foundation",
    model: Any,
    examples: list[Conversation],
    checkpoint: "Checkpoint",
    ranks: "Ranks",
) -> "Outcome":
    from components.finetune import packing, training
    from components.shared import conversation

    settings, tokenizer = context.llm.training, base.tokenizer

    def encode(at: int) -> packing.Pair:
        # Nothing is cut: an example that does not fit is passed over.
        return conversation.learned(tokenizer, examples[at], context.llm.foundation.context_tokens)

    def report(done: int, loss: float, rate: float) -> None:
        context.progress.step(f"steps (loss {loss:.2f}, {rate:.0f} tokens/s)", done, settings.steps)

    length = settings.sequence_tokens
    pairs = packing.epochs(len(examples), encode, length, context.llm.seed)
    groups = packing.batches(
        packing.packs(pairs, length), settings.batch_size, length, tokenizer.pad_token_id
    )
    return training.fit(model, groups, settings, report, checkpoint, ranks)


def read(dataset: Manifest, part: str) -> list[Conversation]:
    """Conversations of a part of a dataset, each ending with the answer to learn."""
    lines = (dataset.folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]
