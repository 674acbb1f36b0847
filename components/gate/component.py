"""KFP shell of `gate`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def gate(
    config: str,
    twin: str,
    decision: dsl.Output[dsl.Artifact],
    evaluation: dsl.Input[dsl.Artifact] = None,
) -> None:
    """Block, ask or release by the declared rules."""
    from components.gate import core
    from components.runtime import entry

    entry.task(core.run, "gate", config, twin, decision, evaluation=evaluation)
