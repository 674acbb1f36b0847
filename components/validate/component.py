"""KFP shell of `validate`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def validate(
    config: str,
    twin: str,
    validated: dsl.Output[dsl.Dataset],
    collected: dsl.Input[dsl.Artifact] = None,
) -> None:
    """Refuse data that breaks its declared rules; freeze what is good."""
    from components.runtime import entry
    from components.validate import core

    entry.task(core.run, "validate", config, twin, validated, collected=collected)
