"""Stage finetune on several GPUs or nodes: make the TrainJob, follow it, take what it made."""

import sys
from collections.abc import Callable
from pathlib import Path

from components.adapters.kubernetes.access import access
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.train_job import train_job
from components.adapters.kubernetes.trainer import follow, start
from components.finetune import work
from components.finetune.handover import handover
from components.finetune.training import Outcome
from components.runtime.context import Context
from components.shared.config import Config, dump
from components.shared.manifests import Manifest
from components.shared.progress import MARK


def wanted(config: Config) -> bool:
    """Whether more than one process trains."""
    return config.profile == "cluster" and config.cluster.training.processes > 1


def train(context: Context, dataset: Manifest, folder: Path) -> tuple[Outcome, Callable[[], None]]:
    """Train by a TrainJob; what it did, and how to forget its checkpoint.

    A stage that was killed meanwhile finds its TrainJob again, or the result of one that is through.

    Args:
        context: Of stage finetune.
        dataset: What is trained on.
        folder: Receives the adapter's files.

    Raises:
        ClusterError: The TrainJob fails, with the reason, or the cluster refuses it.
    """
    key = work.key_of(context, dataset)
    place = handover(context.config, key)
    if not place.ready():
        arguments = ["--config", dump(context.config), "--twin", context.twin]
        arguments += ["--dataset", dataset.model_dump_json()]
        body = train_job(context.config, context.twin, key, arguments)
        api = Api(access(context.config.cluster))
        try:
            start(api, body, context.progress.note)
            follow(api, body, context.config.cluster.training, _tell, context.progress.note)
        finally:
            api.close()
    return place.take(folder), place.clear


def _tell(line: str) -> None:
    """A line of the first process; an event goes on to whoever follows the stage."""
    sys.stdout.write(line[line.index(MARK) :] + "\n" if MARK in line else f"{line}\n")
    sys.stdout.flush()
