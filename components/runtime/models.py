"""How every training stage commits and registers a model: committed code, recipe, files, registry."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from components.adapters.model_files import available
from components.runtime.context import Context, Draft
from components.shared import lineage
from components.shared.manifests import Manifest

#: Fills the folder of the model; `facts` holds `trained_on` and `metrics`.
Build = Callable[[Path], Draft]


def trained(
    context: Context,
    dataset: Manifest,
    *,
    settings: Mapping[str, JsonValue],
    params: Mapping[str, Any],
    build: Build,
) -> Manifest:
    """Train unless the same recipe is committed, and make sure the model is registered.

    Adds the facts `commit`, `dirty`, `packages`, `dataset_version`, `model_version`, `model_uri` and `run`.

    Args:
        context: Of the training stage.
        dataset: What is trained on.
        settings: Everything of the configuration that can change the model.
        params: What the registry shows of it.
        build: Trains; not called where the recipe is known.

    Raises:
        LineageError: The code is not committed and `allow_dirty` was not given.
    """
    code = lineage.require_committed(context.config.root_path, allow_dirty=context.allow_dirty)
    before = context.stores.artifacts.latest(context.twin, context.stage)
    made = context.commit(
        # A clean checkout makes its own model instead of finding one that is marked dirty.
        settings={**settings, "dirty": code.dirty},
        parents={"dataset": dataset},
        build=lambda folder: _with_origin(build(folder), code, dataset),
    )
    place = context.config.stores.tracking or str(context.config.state_path)
    if before and _registered(before, made, place):
        return context.seen(before.model_copy(update={"skipped": made.skipped}))
    return context.seen(_register(context, made, params, place))


def _with_origin(made: Draft, code: lineage.Code, dataset: Manifest) -> Draft:
    """The model's facts and what it comes from: commit, dataset version, packages."""
    facts: dict[str, JsonValue] = {
        **made.facts,
        "commit": code.commit,
        "dirty": code.dirty,
        "dataset_version": dataset.version,
        "packages": {**lineage.packages()},
    }
    return Draft(made.summary, facts, made.version)


def _register(context: Context, made: Manifest, params: Mapping[str, Any], place: str) -> Manifest:
    """The manifest with the model version under which the registry at `place` knows the model."""
    found = context.stores.registry.register(
        twin=context.twin,
        recipe=made.recipe,
        folder=made.folder,
        uri=made.uri,
        params=dict(params),
        metrics=_metrics(made),
        tags={
            "twinstack.commit": made.text("commit"),
            "twinstack.dirty": str(made.facts["dirty"]).lower(),
            "twinstack.dataset": made.text("dataset_version"),
            "twinstack.packages": json.dumps(made.facts["packages"], sort_keys=True),
        },
    )
    facts = {
        **made.facts,
        "model_version": found.version,
        "model_uri": found.uri,
        "run": found.run,
        "registry": place,
    }
    return made.model_copy(update={"facts": facts})


def _registered(before: Manifest, made: Manifest, place: str) -> bool:
    """Whether the last run registered this very model and its files are still there: saves opening MLflow."""
    if before.recipe != made.recipe or before.facts.get("registry") != place:
        return False
    return available(before.text("model_uri"))


def _metrics(made: Manifest) -> dict[str, float]:
    found = made.facts["metrics"]
    if not isinstance(found, dict):
        raise TypeError("facts.metrics is a mapping")
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
