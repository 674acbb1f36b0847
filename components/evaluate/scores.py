"""What candidate, scorecard and champion say of the newest rows, which none of them was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.evaluate import predicting
from components.runtime.context import Context
from components.shared import digest
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TABLE = "table.parquet"
TIME = "event_timestamp"
LABEL = "label"


@dataclass(frozen=True)
class Scored:
    """The cases and what each model says of them, every array of shape (cases,)."""

    labels: "Floats"
    candidate: "Floats"
    baseline: "Floats"
    champion: "Floats | None"


def scores(
    context: Context, validated: Manifest, model: Manifest, reigning: Release | None, test: "pd.DataFrame"
) -> Scored:
    """Score the test part by every model.

    Raises:
        DataError: The champion needs a feature that the dataflow no longer computes.
        PredictorError: A model behind a URL does not answer.
    """
    from components.adapters.model_files import local_folder
    from components.dataflows import scorecard

    names = list(context.classic.features)
    matrix = test[names].to_numpy("float64")
    rival = None
    if reigning:
        folder = local_folder(reigning.model_uri)
        rival = _probability(folder, _for_champion(context, validated, test, folder))
    return Scored(
        labels=test[LABEL].to_numpy("float64"),
        candidate=_probability(model.folder, matrix),
        baseline=scorecard.probability(scorecard.load(model.folder), matrix),
        champion=rival,
    )


def _probability(folder: Path, matrix: "Floats") -> "Floats":
    """What the model of a model version says; shape (cases,)."""
    with predicting.model(folder) as ask:
        return ask(matrix)


def _for_champion(context: Context, validated: Manifest, test: "pd.DataFrame", folder: Path) -> "Floats":
    """The champion's features of the test cases, in its order; those the twin dropped are computed again."""
    import numpy as np
    import pandas as pd

    from components.runtime import dataflow, features

    names: list[str] = json.loads((folder / "features.json").read_text(encoding="utf-8"))["features"]
    dropped = [name for name in names if name not in test.columns]
    if not dropped:
        return np.asarray(test[names].to_numpy("float64"))
    twin = context.classic
    module = dataflow.load(twin.dataflow, context.config.root_path)
    nodes = dataflow.nodes(module, {"mode": "batch"})
    if gone := [name for name in dropped if name not in nodes]:
        raise DataError(
            f"the champion needs {gone}, which the dataflow no longer computes",
            where=f"twins.{context.twin}.dataflow {twin.dataflow}",
            remedy="keep the functions until the champion is replaced; they need not be listed in `features`",
        )
    cases = raw(context, validated, test)
    again = features.frame(features.plan(context.config, context.twin, mode="batch", features=dropped), cases)
    return np.asarray(pd.concat([test, again], axis=1)[names].to_numpy("float64"))


def raw(context: Context, validated: Manifest, test: "pd.DataFrame") -> "pd.DataFrame":
    """The test cases with their columns as they were collected, in the same order."""
    import pandas as pd

    key = context.classic.table.key
    table = pd.read_parquet(validated.folder / TABLE)
    return test[[key, TIME]].merge(table, on=[key, TIME], how="left", validate="one_to_one")


def cases_version(test: "pd.DataFrame", key: str) -> str:
    """Digest of which cases they are, whatever the features."""
    rows = zip(test[key].astype(str), test[TIME].astype(str), test[LABEL].tolist(), strict=True)
    return digest.of_json([list(row) for row in rows])
