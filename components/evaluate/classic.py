"""A classic twin: candidate, scorecard and champion on the same cases."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evaluate import by_case, outcome, timing
from components.evaluate.scores import Scored, cases_version, raw, scores
from components.runtime.champion import champion
from components.runtime.context import Context, Draft
from components.shared.evaluation import Evaluation
from components.shared.files import write_atomic
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import pandas as pd

    from components.evaluate.by_case import Floats

    #: Side to metric to one value a case.
    Timed = dict[str, dict[str, Floats]]

BASELINE = "scorecard"


def evaluate(
    context: Context, validated: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Manifest:
    """Measure the candidate on the test part, beside the scorecard and the champion.

    Beside the quality of the probabilities: `latency_p50` and `latency_p95` of one case, and `cost_per_1000`
    requests where an hour of the machine has a price.

    A candidate that is the champion already has nothing to be compared with.

    Raises:
        DataError: The champion needs a feature that the dataflow no longer computes.
    """
    reigning = champion(context)
    if reigning and reigning.model_uri == model.facts.get("model_uri"):
        reigning = None
    return context.commit(
        settings={
            "costs": context.classic.costs.model_dump(),
            **outcome.settings(context.classic, reigning),
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

    from components.evaluate import reference

    twin = context.classic
    test = pd.read_parquet(dataset.folder / "test.parquet")
    scored = scores(context, validated, model, reigning, test)
    context.progress.note(f"{len(test)} cases scored, now {twin.bootstrap_rounds} resamples")
    timed = _timed(context, validated, test, model, reigning)
    found = _numbers(context, test, scored, timed, reigning)
    # The share of positives in training: a case above it is riskier than an average one.
    _report(context, folder, found, scored, dataset.number("positive_share"), model.text("trained_on"))
    frozen = reference.classic(dataset, twin, scored.candidate)
    baseline = {f"{BASELINE}_{name}": measure.value for name, measure in found.baseline.items()}
    return outcome.left(folder, found, frozen, _summary(found), **baseline)


def _timed(
    context: Context,
    validated: Manifest,
    test: "pd.DataFrame",
    model: Manifest,
    reigning: Release | None,
) -> "Timed":
    from components.adapters.model_files import local_folder

    models = {"candidate": model.folder}
    if reigning:
        models["champion"] = local_folder(reigning.model_uri)
    return timing.values(context, raw(context, validated, test), models)


def _numbers(
    context: Context, test: "pd.DataFrame", scored: Scored, timed: "Timed", reigning: Release | None
) -> Evaluation:
    """Every metric of each model, and of the candidate less the champion."""
    from components.dataflows.classification import differences, measures

    twin, rival = context.classic, scored.champion
    how = outcome.resampling(twin)
    mine, theirs = timed["candidate"], timed.get("champion", {})
    return Evaluation(
        twin=context.twin,
        cases=len(test),
        cases_version=cases_version(test, twin.table.key),
        level=twin.intervals,
        candidate=measures(scored.labels, scored.candidate, **how) | by_case.measures(mine, **how),
        baseline=measures(scored.labels, scored.baseline, **how),
        baseline_name=BASELINE,
        champion={}
        if rival is None
        else measures(scored.labels, rival, **how) | by_case.measures(theirs, **how),
        champion_release=reigning.id if reigning else "",
        paired={}
        if rival is None
        else differences(scored.labels, scored.candidate, rival, **how)
        | by_case.differences(mine, theirs, **how),
        unmeasured=timing.unmeasured(context, mine),
        units=by_case.units(twin.costs.currency),
        notes=timing.notes(context, mine),
        clocked=by_case.clocked(machine=True),
    )


def _report(
    context: Context, folder: Path, found: Evaluation, scored: Scored, threshold: float, trained_on: str
) -> None:
    """Write curves, confusion at the threshold, and both forms of the report."""
    from components.dataflows import classification
    from components.evaluate import classic_report

    confusion: dict[str, Any] = {
        "categories": [_negative(context), context.classic.table.positive],
        "matrix": classification.confusion(scored.labels, scored.candidate, threshold),
        "threshold": threshold,
    }
    curves = {"candidate": scored.candidate, BASELINE: scored.baseline}
    if scored.champion is not None:
        curves["champion"] = scored.champion
    html = classic_report.html(found, confusion, trained_on, scored.labels, curves)
    write_atomic(folder / "roc.json", json.dumps(classification.roc(scored.labels, scored.candidate)))
    write_atomic(folder / "confusion.json", json.dumps(confusion, indent=2))
    write_atomic(folder / "report.md", classic_report.markdown(found, confusion, trained_on))
    write_atomic(folder / "report.html", html)


def _summary(found: Evaluation) -> str:
    auc, base = found.candidate["roc_auc"], found.baseline["roc_auc"]
    against = f"champion {found.champion['roc_auc'].value:.3f}" if found.champion else "no other champion"
    return (
        f"ROC AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] on {found.cases} cases, "
        f"{BASELINE} {base.value:.3f}, {against}"
    )


def _negative(context: Context) -> str:
    """What the other outcome is called."""
    table = context.classic.table
    others = [value for value in table.columns[table.label].allowed if value != table.positive]
    return others[0] if len(others) == 1 else f"not {table.positive}"
