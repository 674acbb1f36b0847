"""KFP shell of `materialize`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def materialize(
    config: str,
    twin: str,
    features: dsl.Output[dsl.Dataset],
    validated: dsl.Input[dsl.Dataset] = None,
) -> None:
    """Table to dataflow to Feast, offline and online."""
    from components.materialize import core
    from components.runtime import entry

    entry.task(core.run, "materialize", config, twin, features, validated=validated)
