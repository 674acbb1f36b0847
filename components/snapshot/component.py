"""KFP shell of `snapshot`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def snapshot(
    config: str,
    twin: str,
    dataset: dsl.Output[dsl.Dataset],
    validated: dsl.Input[dsl.Dataset] = None,
    features: dsl.Input[dsl.Dataset] = None,
) -> None:
    """Point-in-time join into an immutable dataset version."""
    from components.runtime import entry
    from components.snapshot import core

    entry.task(core.run, "snapshot", config, twin, dataset, validated=validated, features=features)
