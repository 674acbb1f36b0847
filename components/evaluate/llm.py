"""An LLM twin: retrieval, answers and held-out loss of candidate, foundation model and champion."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from components.evaluate import by_case, costing, outcome
from components.evaluate import questions as cases
from components.evaluate.questions import Question
from components.evaluate.side import Side
from components.runtime.champion import champion
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.evaluation import Evaluation
from components.shared.files import write_atomic
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.evaluate.measuring import Measured, Measuring

BASELINE = "foundation model alone"

UNMEASURED = "a model behind a URL gives no losses of given texts"


def evaluate(
    context: Context, validated: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Manifest:
    """Measure the candidate beside the foundation model and the champion, all on the same cases.

    Metrics: `recall_at_5`, `ndcg_at_10`, `mrr` of retrieval over documents; `answer_f1` of the candidate with
    retrieval, `answer_f1_tuned` of the same model without; `held_out_loss` per token on examples of documents
    that were not trained on; `citation_coverage`, `refusals`, `personal_data` of the answers; `cost_per_1000`
    requests, where a price is configured; `latency_p50`, `latency_p95` of a search and an answer.

    Raises:
        DataError: A question names a document that the index does not hold.
    """
    from components.evaluate.measuring import Measuring

    twin = context.llm
    asked = cases.read(context.config.path(twin.questions.path))
    prompt = context.config.path(twin.prompt).read_text(encoding="utf-8")
    candidate = Side("candidate", model.folder, prompt, features.version, twin.answering)
    reigning = champion(context)
    if reigning and _same(reigning, candidate, model):
        reigning = None
    settings: dict[str, JsonValue] = {
        "questions": cases.version(asked),
        "how": twin.questions.model_dump(),
        "prompt": digest.of_text(prompt),
        "answering": twin.answering.model_dump(),
        "costs": twin.costs.model_dump(),
        **outcome.settings(twin, reigning),
    }
    occasion = digest.of_json([settings, model.version, features.version])

    def build(folder: Path) -> Draft:
        bench = Measuring(context, asked, dataset, occasion)
        return _build(context, bench, candidate, reigning, model, folder)

    return context.commit(
        settings=settings, parents={"features": features, "dataset": dataset, "model": model}, build=build
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
    bench: "Measuring",
    candidate: Side,
    reigning: Release | None,
    model: Manifest,
    folder: Path,
) -> Draft:
    from components.evaluate import llm_report, reference

    asked = bench.asked
    mine = bench.side(candidate)
    base = bench.foundation()
    rival = bench.side(_side_of(reigning)) if reigning else None
    found = _numbers(context, asked, reigning, mine, base, rival)
    rows = llm_report.rows(asked, mine.hits, mine.said, base.said, mine.values)
    write_atomic(folder / "answers.json", json.dumps(rows, ensure_ascii=False, indent=1))
    write_atomic(folder / "report.md", llm_report.markdown(found, model.text("trained_on")))
    write_atomic(folder / "report.html", llm_report.html(found, model.text("trained_on"), rows))
    vectors = bench.embedded(candidate)
    frozen = reference.llm(context, vectors, asked, mine.hits, mine.said, candidate.index_version)
    return outcome.left(folder, found, frozen, _summary(found))


def _numbers(
    context: Context,
    asked: list[Question],
    reigning: Release | None,
    mine: "Measured",
    base: "Measured",
    rival: "Measured | None",
) -> Evaluation:
    """Every metric of each side, and of the candidate less the champion."""
    twin = context.llm
    how = outcome.resampling(twin)
    theirs = rival.values if rival else {}
    return Evaluation(
        twin=context.twin,
        cases=len(asked),
        cases_version=cases.version(asked),
        level=twin.intervals,
        candidate=by_case.measures(mine.values, **how),
        baseline=by_case.measures(base.values, **how),
        baseline_name=BASELINE,
        champion=by_case.measures(theirs, **how),
        champion_release=reigning.id if reigning else "",
        paired=by_case.differences(mine.values, theirs, **how),
        unmeasured=_unmeasured(context, mine),
        units=by_case.units(twin.costs.currency),
        notes=_notes(context, mine, reigning),
        clocked=by_case.clocked(machine=_machine(context, reigning)),
    )


def _unmeasured(context: Context, mine: "Measured") -> dict[str, str]:
    """Why the candidate lacks a metric."""
    why = {
        "held_out_loss": UNMEASURED,
        by_case.COST: costing.unknown(context.llm.foundation.model, context.twin),
    }
    return {name: reason for name, reason in why.items() if name not in mine.values}


def _machine(context: Context, reigning: Release | None) -> bool:
    """Whether a side pays for a machine by the hour."""
    costs = context.llm.costs
    models = [context.llm.foundation.model]
    models += [reigning.answering.foundation.model] if reigning and reigning.answering else []
    return any(costs.of(model).hour is not None for model in models)


def _notes(context: Context, mine: "Measured", reigning: Release | None) -> dict[str, str]:
    """How cost and latency came about."""
    twin = context.llm
    timed = len(mine.values[by_case.LATENCY])
    notes = {
        by_case.LATENCY: f"a search and an answer, one at a time, over the first {timed} questions, without "
        "the way through a front"
    }
    prices = twin.costs.of(twin.foundation.model)
    if prices.known:
        notes[by_case.COST] = costing.said(
            prices, mine.answers, twin.costs.currency, twin.questions.max_new_tokens
        )
    if reigning and reigning.answering:
        theirs = reigning.answering.foundation.model
        if not twin.costs.of(theirs).known:
            notes["champion"] = costing.unknown(theirs, context.twin)
    return notes


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
