"""KFP shell of `evaluate`."""

from kfp import dsl

from components.shared.images import TRAIN


@dsl.component(base_image=TRAIN, install_kfp_package=False)
def evaluate(
    config: str,
    twin: str,
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
    validated: dsl.Input[dsl.Artifact] = None,
    features: dsl.Input[dsl.Artifact] = None,
    dataset: dsl.Input[dsl.Artifact] = None,
    model: dsl.Input[dsl.Artifact] = None,
) -> None:
    """Candidate, champion and baseline on the same cases."""
    from components.evaluate import core, ui
    from components.runtime import entry

    inputs = {"validated": validated, "features": features, "dataset": dataset, "model": model}
    made = entry.task(core.run, "evaluate", config, twin, evaluation, **inputs)
    ui.show(made, metrics, curves, report, summary)
