"""The macro DAGs, one recipe a pipeline, the same for both kinds.

A pipeline that starts in the middle leaves out the artifacts of the steps before it: a stage that is not
given an input takes the twin's newest output of the stage that makes it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from kfp import dsl

from components.shared.config import Kind
from pipelines.stages import STAGES, Stages

#: Arguments that every stage gets: the configuration as JSON text and the name of the twin.
Common = dict[str, Any]


def collected(stages: Stages, common: Common) -> Any:
    """Sources → warehouse → checked snapshot."""
    raw = stages.collect(**common)
    return stages.validate(**common, collected=raw.outputs["collected"])


def features(stages: Stages, common: Common, **validated: Any) -> Any:
    """Feature views, or an index version."""
    return stages.features(**common, **validated)


def trained(stages: Stages, common: Common, allow_dirty: bool, **made: Any) -> dict[str, Any]:
    """Dataset version → model → evaluation against the champion → gate.

    `made` holds the artifacts validated and features, or nothing.
    """
    dataset = stages.dataset(**common, **made).outputs["dataset"]
    model = stages.model(**common, allow_dirty=allow_dirty, dataset=dataset).outputs["model"]
    evaluation = stages.evaluate(**common, **made, dataset=dataset, model=model).outputs["evaluation"]
    decision = stages.gate(**common, evaluation=evaluation).outputs["decision"]
    return {"dataset": dataset, "model": model, "evaluation": evaluation, "decision": decision}


def _collect(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    collected(stages, {"config": config, "twin": twin})


def _features(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    features(stages, {"config": config, "twin": twin})


def _train(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    trained(stages, {"config": config, "twin": twin}, allow_dirty)


def _release(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    stages.release(config=config, twin=twin)


def _monitor(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    stages.monitor(config=config, twin=twin)


def _end_to_end(stages: Stages, config: str, twin: str, allow_dirty: bool) -> None:
    common = {"config": config, "twin": twin}
    validated = {"validated": collected(stages, common).outputs["validated"]}
    made = {**validated, "features": features(stages, common, **validated).outputs["features"]}
    results = trained(stages, common, allow_dirty, **made)
    candidate = {**results, "features": made["features"]}
    released = stages.release(**common, **candidate).outputs["released"]
    stages.monitor(**common, features=made["features"], released=released)


Recipe = Callable[[Stages, str, str, bool], None]

RECIPES: dict[str, Recipe] = {
    "collect": _collect,
    "features": _features,
    "train": _train,
    "release": _release,
    "monitor": _monitor,
    "end_to_end": _end_to_end,
}

SUMMARIES = {
    "collect": "Sources to warehouse, incrementally, then a checked snapshot.",
    "features": "Classic: table to Feast. LLM: documents to a new index version.",
    "train": "Dataset version, model, evaluation against the champion, gate.",
    "release": "The gated candidate becomes the champion.",
    "monitor": "Drift of the current window against the training window.",
    "end_to_end": "All of the above, from sources to a served release.",
}


#: What a pipeline stands in, given its parameters `config` and `twin`.
Around = Callable[[str, str], AbstractContextManager[None]]


def _nothing(config: str, twin: str) -> AbstractContextManager[None]:
    return nullcontext()


def pipeline(name: str, kind: Kind, stages: Stages | None = None, around: Around = _nothing) -> Any:
    """The KFP pipeline of a recipe for one kind of twin.

    Args:
        name: A key of `RECIPES`.
        kind: Kind of the twin.
        stages: The components; by default those of the kind, as they are.
        around: What the tasks stand in, for example an exit handler.
    """
    recipe = RECIPES[name]
    components = stages or STAGES[kind]

    @dsl.pipeline(name=f"{name.replace('_', '-')}-{kind}", description=SUMMARIES[name])
    def macro(config: str, twin: str, allow_dirty: bool = False) -> None:
        with around(config, twin):
            recipe(components, config, twin, allow_dirty)

    return macro
