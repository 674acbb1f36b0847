"""One process of a TrainJob: Kubeflow Trainer runs `torchrun -m components.finetune.worker` on every node."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from components.finetune import work
from components.finetune.handover import handover
from components.finetune.ranks import Together
from components.runtime.context import Context
from components.shared.config import parse
from components.shared.errors import exit_on_error
from components.shared.manifests import Manifest
from components.shared.progress import Progress, emit


def main() -> None:
    """Join the others, train, and hand the adapter over."""
    parser = argparse.ArgumentParser(prog="python -m components.finetune.worker", description=__doc__)
    parser.add_argument("--config", required=True, help="JSON text of the configuration")
    parser.add_argument("--twin", required=True, help="name of the twin")
    parser.add_argument("--dataset", required=True, help="JSON text of the dataset's manifest")
    words = parser.parse_args()
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(dist.get_rank() % torch.cuda.device_count())
    try:
        with exit_on_error():
            _train(words.config, words.twin, words.dataset)
    finally:
        dist.destroy_process_group()


def _train(config: str, twin: str, manifest: str) -> None:
    first = dist.get_rank() == 0
    context = Context(parse(config), twin, "finetune")
    # Others say nothing: the stage follows the first process's log.
    context.__dict__["progress"] = Progress("finetune", twin, emit if first else _silent)
    dataset = context.stores.artifacts.bound(Manifest.model_validate_json(manifest))
    place = handover(context.config, work.key_of(context, dataset))
    settings, seed = context.llm.training, context.llm.seed

    def join(model: Any) -> Together:
        return Together(model, settings.batch_size, seed)

    with tempfile.TemporaryDirectory() as folder:
        outcome = work.train(context, dataset, Path(folder), place.checkpoint(), join)
        if first:
            place.give(Path(folder), outcome)
    dist.barrier()


def _silent(*_: object, **__: object) -> None:
    """Reports to nobody."""


if __name__ == "__main__":
    main()
