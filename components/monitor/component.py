"""KFP shell of `monitor`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def monitor(
    config: str,
    twin: str,
    drift: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
    features: dsl.Input[dsl.Artifact] = None,
    released: dsl.Input[dsl.Artifact] = None,
) -> None:
    """Drift of the current window against the training window."""
    from components.monitor import core
    from components.runtime import entry

    made = entry.task(core.run, "monitor", config, twin, drift, features=features, released=released)
    core.show(made, report, summary)
