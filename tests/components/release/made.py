"""What the stages before a release leave."""

from typing import Any

from components.runtime.context import Context
from components.shared.evaluation import FILE, Evaluation, Measure
from components.shared.manifests import Manifest


def inputs(context: Context, decision: str, dataset: str = "d1") -> dict[str, Manifest]:
    """Manifests as the stages before leave them; the model is really registered."""
    folder = context.config.state_path / "made" / dataset
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.txt").write_text(dataset)
    registered = context.stores.registry.register(
        twin="credit", recipe=dataset, folder=folder, params={}, metrics={}, tags={}
    )
    numbers = Evaluation(
        twin="credit",
        cases=10,
        cases_version="c",
        level=0.95,
        candidate={"roc_auc": Measure(value=0.8, low=0.7, high=0.9)},
        baseline_name="scorecard",
    )
    (folder / FILE).write_text(numbers.model_dump_json())

    def manifest(stage: str, version: str, **facts: Any) -> Manifest:
        return Manifest(
            stage=stage, twin="credit", recipe=version, version=version, uri=folder.as_uri(), facts=facts
        )

    model = {
        "model_version": registered.version,
        "model_uri": registered.uri,
        "run": registered.run,
        "commit": "abc",
        "dirty": False,
    }
    return {
        "evaluation": manifest("evaluate", f"e-{dataset}"),
        "decision": manifest("gate", f"g-{dataset}-{decision}", decision=decision, reason="because"),
        "features": manifest("materialize", "f1"),
        "dataset": manifest("snapshot", dataset),
        "model": manifest("train", f"m-{dataset}", trained_on="rows", **model),
    }
