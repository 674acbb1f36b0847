"""A classic twin: candidate, scorecard and champion on the newest rows, which none of them was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.runtime.champion import champion
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.errors import DataError
from components.shared.evaluation import FILE, Evaluation
from components.shared.files import write_atomic
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
BASELINE = "scorecard"


@dataclass(frozen=True)
class Scored:
    """The cases and what each model says of them, every array of shape (cases,)."""

    labels: "Floats"
    candidate: "Floats"
    baseline: "Floats"
    champion: "Floats | None"


def evaluate(
    context: Context, validated: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Manifest:
    """Measure the candidate on the test part, beside the scorecard and the champion.

    A candidate that is the champion already has nothing to be compared with.

    Raises:
        DataError: The champion needs a feature that the dataflow no longer computes.
    """
    twin = context.classic
    reigning = champion(context)
    if reigning and reigning.model_uri == model.facts.get("model_uri"):
        reigning = None
    return context.commit(
        settings={
            "level": twin.intervals,
            "rounds": twin.bootstrap_rounds,
            "seed": twin.seed,
            "bins": twin.monitor.bins,
            "champion": reigning.id if reigning else "",
        },
        parents={"validated": validated, "features": features, "dataset": dataset, "model": model},
        build=lambda folder: _build(context, validated, dataset, model, reigning, folder),
    )


def _build(
    context: Context,
    validated: Manifest,
    dataset: Manifest,
    model: Manifest,
    reigning: Release | None,
    folder: Path,
) -> Draft:
    import pandas as pd

    from components.dataflows import classification
    from components.evaluate import classic_report, reference

    twin = context.classic
    test = pd.read_parquet(dataset.folder / "test.parquet")
    scored = _score(context, validated, model, reigning, test)
    how: dict[str, Any] = {"level": twin.intervals, "rounds": twin.bootstrap_rounds, "seed": twin.seed}
    context.progress.note(f"{len(test)} cases scored, now {twin.bootstrap_rounds} resamples")
    rival = scored.champion
    found = Evaluation(
        twin=context.twin,
        cases=len(test),
        cases_version=_cases_version(test, twin.table.key),
        level=twin.intervals,
        candidate=classification.measures(scored.labels, scored.candidate, **how),
        baseline=classification.measures(scored.labels, scored.baseline, **how),
        baseline_name=BASELINE,
        champion={} if rival is None else classification.measures(scored.labels, rival, **how),
        champion_release=reigning.id if reigning else "",
        paired={}
        if rival is None
        else classification.differences(scored.labels, scored.candidate, rival, **how),
    )
    # The share of positives in training: a case above it is riskier than an average one.
    threshold = dataset.number("positive_share")
    confusion = {
        "categories": [_negative(context), twin.table.positive],
        "matrix": classification.confusion(scored.labels, scored.candidate, threshold),
        "threshold": threshold,
    }
    write_atomic(folder / FILE, found.model_dump_json(indent=2))
    write_atomic(folder / "roc.json", json.dumps(classification.roc(scored.labels, scored.candidate)))
    write_atomic(folder / "confusion.json", json.dumps(confusion, indent=2))
    curves = {"candidate": scored.candidate, BASELINE: scored.baseline}
    if rival is not None:
        curves["champion"] = rival
    write_atomic(folder / "report.md", classic_report.markdown(found, confusion, model.text("trained_on")))
    write_atomic(
        folder / "report.html",
        classic_report.html(found, confusion, model.text("trained_on"), scored.labels, curves),
    )
    frozen = reference.classic(dataset, twin, scored.candidate)
    write_atomic(folder / reference.FILE, frozen.model_dump_json())
    auc, base = found.candidate["roc_auc"], found.baseline["roc_auc"]
    against = f"champion {found.champion['roc_auc'].value:.3f}" if rival is not None else "no other champion"
    return Draft(
        summary=f"ROC AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] on {found.cases} cases, "
        f"{BASELINE} {base.value:.3f}, {against}",
        facts={
            "cases": found.cases,
            "champion_release": found.champion_release,
            **{name: measure.value for name, measure in found.candidate.items()},
            **{f"{BASELINE}_{name}": measure.value for name, measure in found.baseline.items()},
        },
        # A quantile sketch draws random bits, so two files of the same values differ.
        version=digest.of_folder(folder, leave_out=[reference.FILE]),
    )


def _score(
    context: Context, validated: Manifest, model: Manifest, reigning: Release | None, test: "pd.DataFrame"
) -> Scored:
    from components.adapters.registry import local_folder
    from components.dataflows import boosting, scorecard

    names = list(context.classic.features)
    matrix = test[names].to_numpy("float64")
    rival = None
    if reigning:
        folder = local_folder(reigning.model_uri)
        rival = boosting.probability(boosting.load(folder), _for_champion(context, validated, test, folder))
    return Scored(
        labels=test[LABEL].to_numpy("float64"),
        candidate=boosting.probability(boosting.load(model.folder), matrix),
        baseline=scorecard.probability(scorecard.load(model.folder), matrix),
        champion=rival,
    )


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
    key = twin.table.key
    table = pd.read_parquet(validated.folder / TABLE)
    cases = test[[key, TIME]].merge(table, on=[key, TIME], how="left", validate="one_to_one")
    again = features.frame(features.plan(context.config, context.twin, mode="batch", features=dropped), cases)
    return np.asarray(pd.concat([test, again], axis=1)[names].to_numpy("float64"))


def _cases_version(test: "pd.DataFrame", key: str) -> str:
    """Digest of which cases they are, whatever the features."""
    rows = zip(test[key].astype(str), test[TIME].astype(str), test[LABEL].tolist(), strict=True)
    return digest.of_json([list(row) for row in rows])


def _negative(context: Context) -> str:
    """What the other outcome is called."""
    table = context.classic.table
    others = [value for value in table.columns[table.label].allowed if value != table.positive]
    return others[0] if len(others) == 1 else f"not {table.positive}"
