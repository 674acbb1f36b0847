"""A LoRA adapter of the foundation model, trained on one dataset version."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.runtime import models
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.endpoints import endpoint
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    from components.adapters.foundation import Foundation
    from components.finetune.checkpoint import Checkpoint
    from components.finetune.training import Outcome

ADAPTER = "adapter_model.safetensors"

#: Instead of an adapter, where the foundation model is behind a URL.
ENDPOINT = "endpoint.json"

Conversation = list[dict[str, str]]


def run(context: Context, dataset: Manifest) -> Manifest:
    """Train the adapter and register it; of a foundation model behind a URL only register where it is.

    Leaves `adapter_model.safetensors`, `adapter_config.json`, `losses.json` and `loss.png`.

    Raises:
        LineageError: The code is not committed and `allow_dirty` was not given.
        ConfigError: The foundation model is not there.
        DataError: No example fits a sequence.
    """
    twin = context.llm
    return models.trained(
        context,
        dataset,
        settings={
            "training": twin.training.model_dump(),
            "foundation": twin.foundation.model,
            "seed": twin.seed,
        },
        params={**twin.training.model_dump(), "foundation": twin.foundation.model, "seed": twin.seed},
        build=lambda folder: _build(context, dataset, folder),
    )


def _untrained(uri: str, folder: Path) -> Draft:
    """A model version that says where the model is: weights behind a URL are nobody's to train here."""
    write_atomic(folder / ENDPOINT, json.dumps({"model": uri}))
    return Draft(
        summary=f"nothing to train: {uri} answers as it is",
        facts={"trained_on": f"nothing: {uri} answers as it is", "metrics": {}},
        version=digest.of_text(uri),
    )


def _build(context: Context, dataset: Manifest, folder: Path) -> Draft:
    from components.adapters import foundation
    from components.finetune import training

    twin = context.llm
    if endpoint(twin.foundation.model, "foundation.model"):
        return _untrained(twin.foundation.model, folder)
    examples = read(dataset, "train")
    cache = context.config.state_path / "foundation"
    base = foundation.base(twin.foundation, cache, dtype="bfloat16", note=context.progress.note)
    model = training.adapted(base.model, twin.training, twin.seed)
    checkpoint = _checkpoint(context, dataset)
    outcome = _fit(context, base, model, examples, checkpoint)
    training.save(model, folder, twin.foundation.model)
    context.crash_point("after-model")
    write_atomic(folder / "losses.json", json.dumps([round(loss, 4) for loss in outcome.losses]))
    training.curve(outcome.losses, folder / "loss.png")
    checkpoint.clear()
    metrics = {
        "loss_start": round(outcome.losses[0], 4),
        "loss_end": round(outcome.losses[-1], 4),
        "tokens": outcome.tokens,
        "learned_tokens": outcome.learned,
        "tokens_per_second": round(outcome.tokens / outcome.seconds, 1),
        "seconds_training": round(outcome.seconds, 1),
    }
    return Draft(
        summary=f"{twin.training.steps} steps on {outcome.tokens:,} tokens at "
        f"{metrics['tokens_per_second']:.0f} tokens/s; last loss {outcome.losses[-1]:.2f}",
        facts={
            "trained_on": f"{len(examples)} examples of dataset {dataset.version}, {outcome.tokens:,} tokens "
            f"in {twin.training.steps} steps",
            **{name: metrics[name] for name in ("loss_start", "loss_end", "tokens", "tokens_per_second")},
            "metrics": {**metrics},
        },
        version=digest.of_file(folder / ADAPTER),
    )


def _checkpoint(context: Context, dataset: Manifest) -> "Checkpoint":
    """Where this very training keeps its progress; another length, dataset or code is another training."""
    from components.finetune.checkpoint import Checkpoint

    twin, code = context.llm, digest.of_code("finetune", "adapters", "shared")
    key = [code, twin.training.model_dump(), twin.foundation.model, twin.seed, dataset.version]
    return Checkpoint(context.config.state_path / "checkpoints" / digest.of_json(key))


def _fit(
    context: Context,
    base: "Foundation",
    model: Any,
    examples: list[Conversation],
    checkpoint: "Checkpoint",
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
    return training.fit(model, groups, settings, report, checkpoint)


def read(dataset: Manifest, part: str) -> list[Conversation]:
    """Conversations of a part of a dataset, each ending with the answer to learn."""
    lines = (dataset.folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]
