"""The gated candidate becomes the champion: one transaction in the warehouse, then the registry's aliases."""

from datetime import UTC, datetime
from pathlib import Path

from components.dataflows.drift_reference import Reference
from components.runtime import approvals, champion, deployment, promotion, standby, watched
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config import ClassicTwin, LlmTwin
from components.shared.evaluation import FILE, Evaluation
from components.shared.files import write_atomic
from components.shared.manifests import Manifest
from components.shared.releases import Release


def run(
    context: Context,
    evaluation: Manifest,
    decision: Manifest,
    features: Manifest,
    dataset: Manifest,
    model: Manifest,
) -> Manifest:
    """Release the candidate if its gate says so; otherwise the champion stays, and the reason is told.

    On a cluster its predictor is made ready first; one that is not ready in time is taken back, and the
    traffic stays. A release that waits for a person is stored, so that `twin promote` can let it answer.
    Running again changes nothing but what a killed run left undone: the same parts are the same release.

    Facts: `release`, `champion`, `decision`.

    Raises:
        ClusterError: The predictor did not become ready, or the cluster refuses it.
    """
    verdict, reason = decision.text("decision"), decision.text("reason")
    warehouse = context.stores.warehouse
    candidate = describe(context, evaluation, features, dataset, model)
    before = champion.champion(context)
    _freeze(context, evaluation, candidate)
    skipped = ""
    if verdict == "release":
        candidate = deployment.deployed(context.config, warehouse, candidate, context.progress.note)
        if before and (before.id, before.predictor) == (candidate.id, candidate.predictor):
            skipped = "unchanged: this release answers already"
        else:
            promotion.answer(context.config, warehouse, candidate, context.progress.note)
            context.crash_point("after-traffic")
        deployment.cleaned(context.config, warehouse, context.twin, context.progress.note)
    else:
        champion.store(warehouse, candidate)
        if candidate.prompt:
            context.stores.registry.prompt(context.twin, candidate.prompt)
        if verdict == "ask":
            asked = approvals.ask(warehouse, context.twin, "release", candidate.id, reason)
            if asked.state == "pending":
                standby.announce(context.config, warehouse, candidate)
    promotion.follow(context.stores, context.twin)
    answers = candidate.id if verdict == "release" else (before.id if before else "")
    summary = _summary(candidate, verdict, reason, answers)
    made = context.commit(
        settings={"release": candidate.id, "champion": answers, "decision": verdict},
        parents={"evaluation": evaluation, "decision": decision, "model": model},
        build=lambda folder: _write(folder / "release.json", candidate, verdict, answers, summary),
    )
    return context.seen(made.model_copy(update={"skipped": skipped}))


def _freeze(context: Context, evaluation: Manifest, candidate: Release) -> None:
    """Keep with the release what its drift is measured against."""
    path = evaluation.folder / "drift_reference.json"
    if path.exists():  # an evaluation of an earlier version froze none
        frozen = Reference.model_validate_json(path.read_bytes())
        watched.freeze(context.stores.warehouse, candidate, frozen)


def _summary(candidate: Release, verdict: str, reason: str, answers: str) -> str:
    if verdict == "release":
        return f"release {candidate.id} answers (model version {candidate.model_version}): {reason}"
    stays = f"champion {answers} stays" if answers else "no release answers yet"
    if verdict == "ask":
        return f"{stays}; approve with `twin promote {candidate.id} --twin {candidate.twin}`: {reason}"
    return f"{stays}; candidate {candidate.id} is blocked: {reason}"


def _write(path: Path, candidate: Release, verdict: str, answers: str, summary: str) -> Draft:
    write_atomic(path, candidate.model_dump_json(indent=2))
    return Draft(
        summary=summary,
        facts={"release": candidate.id, "champion": answers, "decision": verdict},
        version=digest.of_json([candidate.id, verdict, answers]),
    )


def describe(
    context: Context, evaluation: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Release:
    """The candidate as a release; its id is the digest of the exact versions it is made of."""
    twin = context.config.twin(context.twin)
    prompt = context.config.path(twin.prompt).read_text(encoding="utf-8") if isinstance(twin, LlmTwin) else ""
    answering = twin.answering if isinstance(twin, LlmTwin) else None
    parts = {
        "model_version": model.text("model_version"),
        "prompt_version": digest.of_text(prompt) if prompt else "",
        "index_version": features.version if twin.kind == "llm" else "",
        "feature_version": features.version if twin.kind == "classic" else "",
        "dataset_version": dataset.version,
    }
    return Release(
        id=digest.of_json([context.twin, parts, answering.model_dump() if answering else None]),
        twin=context.twin,
        kind=twin.kind,
        model_uri=model.text("model_uri"),
        prompt=prompt,
        answering=answering,
        commit=model.text("commit"),
        dirty=bool(model.facts.get("dirty")),
        trained_on=model.text("trained_on"),
        evaluation=Evaluation.model_validate_json((evaluation.folder / FILE).read_bytes()),
        model_digest=model.version,
        run=str(model.facts.get("run", "")),
        model_endpoint=twin.model if isinstance(twin, ClassicTwin) else "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **parts,
    )
