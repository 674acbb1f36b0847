"""An LLM twin: retrieval, answers and held-out loss of candidate, foundation model and champion."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from components.evaluate import outcome
from components.evaluate import questions as cases
from components.evaluate.questions import Question
from components.evaluate.side import Side
from components.runtime.champion import champion
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.evaluation import Difference, Evaluation, Measure
from components.shared.files import write_atomic
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    #: Metric name to one value a case.
    Values = dict[str, Floats]

BASELINE = "foundation model alone"

UNMEASURED = "a model behind a URL gives no losses of given texts"

#: Metrics that are better when they are lower.
LOWER = frozenset({"held_out_loss"})


def evaluate(
    context: Context, validated: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Manifest:
    """Measure the candidate beside the foundation model and the champion, all on the same cases.

    Metrics: `recall_at_5`, `ndcg_at_10`, `mrr` of retrieval over documents; `answer_f1` of the candidate with
    retrieval, `answer_f1_tuned` of the same model without; `held_out_loss` per token on examples of documents
    that were not trained on.

    Raises:
        DataError: A question names a document that the index does not hold.
    """
    twin = context.llm
    asked = cases.read(context.config.path(twin.questions.path))
    prompt = context.config.path(twin.prompt).read_text(encoding="utf-8")
    candidate = Side("candidate", model.folder, prompt, features.version, twin.answering)
    reigning = champion(context)
    if reigning and _same(reigning, candidate, model):
        reigning = None
    return context.commit(
        settings={
            "questions": cases.version(asked),
            "how": twin.questions.model_dump(),
            "prompt": digest.of_text(prompt),
            "answering": twin.answering.model_dump(),
            **outcome.settings(twin, reigning),
        },
        parents={"features": features, "dataset": dataset, "model": model},
        build=lambda folder: _build(context, asked, candidate, reigning, dataset, model, folder),
    )


def _same(release: Release, candidate: Side, model: Manifest) -> bool:
    return (release.model_uri, release.prompt, release.index_version, release.answering) == (
        model.facts.get("model_uri"),
        candidate.prompt,
        candidate.index_version,
        candidate.answering,
    )


def _build(
    context: Context,
    asked: list[Question],
    candidate: Side,
    reigning: Release | None,
    dataset: Manifest,
    model: Manifest,
    folder: Path,
) -> Draft:
    from components.evaluate import llm_report, reference
    from components.evaluate.measuring import Measuring

    twin = context.llm
    bench = Measuring(context, asked, dataset)
    hits, values, said = bench.side(candidate)
    base_values, base_said = bench.foundation()
    rival: Values = {}
    if reigning:
        _, rival, _ = bench.side(_side_of(reigning))
    found = Evaluation(
        twin=context.twin,
        cases=len(asked),
        cases_version=cases.version(asked),
        level=twin.intervals,
        candidate=_measures(context, values),
        baseline=_measures(context, base_values),
        baseline_name=BASELINE,
        champion=_measures(context, rival),
        champion_release=reigning.id if reigning else "",
        paired=_paired(context, values, rival),
        unmeasured={} if "held_out_loss" in values else {"held_out_loss": UNMEASURED},
    )
    rows = llm_report.rows(asked, hits, said, base_said, values)
    write_atomic(folder / "answers.json", json.dumps(rows, ensure_ascii=False, indent=1))
    write_atomic(folder / "report.md", llm_report.markdown(found, model.text("trained_on")))
    write_atomic(folder / "report.html", llm_report.html(found, model.text("trained_on"), rows))
    frozen = reference.llm(context, bench.embedded(candidate), asked, hits, said, candidate.index_version)
    return outcome.left(folder, found, frozen, _summary(found))


def _summary(found: Evaluation) -> str:
    f1, base = found.candidate["answer_f1"], found.baseline["answer_f1"]
    loss, before = found.candidate.get("held_out_loss"), found.baseline.get("held_out_loss")
    losses = f", held-out loss {loss.value:.3f} (foundation {before.value:.3f})" if loss and before else ""
    return (
        f"recall@5 {found.candidate['recall_at_5'].value:.3f}, answer F1 {f1.value:.3f} "
        f"[{f1.low:.3f}, {f1.high:.3f}] (foundation {base.value:.3f}){losses}"
    )


def _side_of(release: Release) -> Side:
    from components.adapters.model_files import local_folder

    if release.answering is None:
        raise TypeError(f"release {release.id} is of kind {release.kind}")
    folder = local_folder(release.model_uri)
    return Side("champion", folder, release.prompt, release.index_version, release.answering)


def _measures(context: Context, values: "Values") -> dict[str, Measure]:
    from components.dataflows.intervals import mean_measure

    how = outcome.resampling(context.llm)
    return {
        name: mean_measure(one, **how, better="lower" if name in LOWER else "higher")
        for name, one in values.items()
    }


def _paired(context: Context, values: "Values", rival: "Values") -> dict[str, Difference]:
    from components.dataflows.intervals import mean_difference

    how = outcome.resampling(context.llm)
    return {name: mean_difference(values[name], one, **how) for name, one in rival.items() if name in values}
