"""Candidate, champion and baseline on the same cases, by kind."""

from components.runtime.context import Context
from components.shared.manifests import Manifest


def run(
    context: Context, validated: Manifest, features: Manifest, dataset: Manifest, model: Manifest
) -> Manifest:
    """Measure the candidate, each number with its interval, and compare it with the champion.

    Leaves `evaluation.json`, `report.html` and `report.md`; a classic twin also `roc.json` and
    `confusion.json`.
    """
    if context.config.twin(context.twin).kind == "llm":
        from components.evaluate import llm

        return llm.evaluate(context, validated, features, dataset, model)
    from components.evaluate import classic

    return classic.evaluate(context, validated, features, dataset, model)
