"""KFP shell of `release`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def release(
    config: str,
    twin: str,
    released: dsl.Output[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact] = None,
    decision: dsl.Input[dsl.Artifact] = None,
    features: dsl.Input[dsl.Artifact] = None,
    dataset: dsl.Input[dsl.Artifact] = None,
    model: dsl.Input[dsl.Artifact] = None,
) -> None:
    """Make the gated candidate the champion."""
    from components.release import core
    from components.runtime import entry

    entry.task(
        core.run,
        "release",
        config,
        twin,
        released,
        evaluation=evaluation,
        decision=decision,
        features=features,
        dataset=dataset,
        model=model,
    )
