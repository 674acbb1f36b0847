"""Which component fills each slot of the macro DAG, by kind of twin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.collect.component import collect
from components.embed.component import embed
from components.evaluate.component import evaluate
from components.finetune.component import finetune
from components.gate.component import gate
from components.instruct.component import instruct
from components.materialize.component import materialize
from components.monitor.component import monitor
from components.release.component import release
from components.shared.config import Kind
from components.snapshot.component import snapshot
from components.train.component import train
from components.validate.component import validate

Component = Callable[..., Any]


@dataclass(frozen=True)
class Stages:
    """One component a slot. Only `features`, `dataset` and `model` differ between the kinds."""

    features: Component
    dataset: Component
    model: Component
    collect: Component = collect
    validate: Component = validate
    evaluate: Component = evaluate
    gate: Component = gate
    release: Component = release
    monitor: Component = monitor


STAGES: dict[Kind, Stages] = {
    "classic": Stages(features=materialize, dataset=snapshot, model=train),
    "llm": Stages(features=embed, dataset=instruct, model=finetune),
}
