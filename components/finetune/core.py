"""A LoRA adapter of the foundation model, trained on one dataset version."""

import json
from pathlib import Path

from components.runtime import models
from components.runtime.context import Context, Draft
from components.shared import digest, endpoints
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

ADAPTER = "adapter_model.safetensors"


def run(context: Context, dataset: Manifest) -> Manifest:
    """Train the adapter and register it; of a foundation model behind a URL only register where it is.

    Leaves `adapter_model.safetensors`, `adapter_config.json`, `losses.json` and `loss.png`.

    Raises:
        LineageError: The code is not committed and `allow_dirty` was not given.
        ConfigError: The foundation model is not there.
        DataError: No example fits a sequence.
        ClusterError: The TrainJob fails, where several GPUs or nodes train.
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
    endpoints.keep(folder, uri)
    return Draft(
        summary=f"nothing to train: {uri} answers as it is",
        facts={"trained_on": f"nothing: {uri} answers as it is", "metrics": {}},
        version=digest.of_text(uri),
    )


def _build(context: Context, dataset: Manifest, folder: Path) -> Draft:
    from components.finetune import distributed, training, work
    from components.finetune.handover import handover

    twin = context.llm
    if endpoints.endpoint(twin.foundation.model, "foundation.model"):
        return _untrained(twin.foundation.model, folder)
    if distributed.wanted(context.config):
        outcome, forget = distributed.train(context, dataset, folder)
    else:
        # In the artifact store, because the next try may run on another node.
        place = handover(context.config, work.key_of(context, dataset))
        outcome, forget = work.train(context, dataset, folder, place.checkpoint()), place.clear
    context.crash_point("after-model")
    write_atomic(folder / "losses.json", json.dumps([round(loss, 4) for loss in outcome.losses]))
    training.curve(outcome.losses, folder / "loss.png")
    forget()
    examples = len(work.read(dataset, "train"))
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
            "trained_on": f"{examples} examples of dataset {dataset.version}, {outcome.tokens:,} tokens "
            f"in {twin.training.steps} steps",
            **{name: metrics[name] for name in ("loss_start", "loss_end", "tokens", "tokens_per_second")},
            "metrics": {**metrics},
        },
        version=digest.of_file(folder / ADAPTER),
    )
