"""XGBoost candidate with early stopping, and its scorecard fallback, on one dataset version."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from components.runtime import models
from components.runtime.context import Context, Draft
from components.shared.endpoints import endpoint, keep
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Part = tuple[NDArray[np.float64], NDArray[np.float64]]

#: Names of the features in the order of the model's columns, and what the model predicts.
NAMES = "features.json"


def run(context: Context, dataset: Manifest) -> Manifest:
    """Train the candidate and register it; of a model behind a URL only register where it is.

    Leaves `booster/model.ubj`, or `endpoint.json`, and `scorecard.json` and `features.json`.

    Raises:
        LineageError: The code is not committed and `allow_dirty` was not given.
    """
    twin = context.classic
    return models.trained(
        context,
        dataset,
        settings={
            "training": twin.training.model_dump(),
            "scorecard": twin.scorecard.model_dump(),
            "features": list(twin.features),
            "seed": twin.seed,
            "model": twin.model,
        },
        params={
            **({"model": twin.model} if twin.model else twin.training.model_dump()),
            "features": len(twin.features),
            "seed": twin.seed,
        },
        build=lambda folder: _build(context, dataset, folder),
    )


def _build(context: Context, dataset: Manifest, folder: Path) -> Draft:
    from components.dataflows import scorecard

    twin = context.classic
    train = read(dataset, "train", twin.features)
    if endpoint(twin.model, "model"):
        keep(folder, twin.model)
        trained, gains = _untrained(twin.model)
    else:
        trained, gains = _trained(context, dataset, train, folder)
    context.crash_point("after-model")
    card = scorecard.fit(*train, twin.features, twin.scorecard)
    write_atomic(folder / scorecard.FILE, card.model_dump_json(indent=2))
    content = {"features": list(twin.features), "positive": twin.table.positive, "gains": gains}
    write_atomic(folder / NAMES, json.dumps(content, indent=2))
    return dataclasses.replace(trained, summary=f"{trained.summary}; scorecard of {len(card.rows)} features")


def _untrained(uri: str) -> tuple[Draft, dict[str, float]]:
    """A model version that says where the model is: what is behind a URL is nobody's to train here."""
    facts: dict[str, JsonValue] = {"trained_on": f"nothing: {uri} answers as it is", "metrics": {}}
    return Draft(summary=f"nothing to train: {uri} answers as it is", facts=facts), {}


def _trained(
    context: Context, dataset: Manifest, train: "Part", folder: Path
) -> tuple[Draft, dict[str, float]]:
    """Trees in the folder, what is said of them, and the share of the gain of each feature."""
    from components.dataflows import boosting

    twin = context.classic
    validation = read(dataset, "validation", twin.features)
    model, metrics = boosting.fit(
        train,
        validation,
        twin.training,
        seed=twin.seed,
        report=lambda done, total: context.progress.step("rounds", done, total),
    )
    boosting.save(model, folder)
    gains = boosting.gains(model, twin.features)
    trained_on = (
        f"{len(train[1])} rows of dataset {dataset.version}, {len(twin.features)} features, "
        f"{dataset.text('train_start')[:10]} to {dataset.text('train_end')[:10]}"
    )
    made = Draft(
        summary=f"{metrics['rounds']:.0f} trees, validation log loss {metrics['validation_log_loss']:.3f}",
        facts={
            "trained_on": trained_on,
            "metrics": {**metrics},
            "top_features": ", ".join([*gains][:5]),
        },
    )
    return made, gains


def read(dataset: Manifest, part: str, features: tuple[str, ...]) -> "Part":
    """Features, shape (rows, features), and labels, shape (rows,), of a part of a dataset, both float64."""
    import pandas as pd

    table = pd.read_parquet(dataset.folder / f"{part}.parquet", columns=[*features, "label"])
    return table[list(features)].to_numpy("float64"), table["label"].to_numpy("float64")
