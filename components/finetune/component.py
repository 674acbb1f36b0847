"""KFP shell of `finetune`."""

from kfp import dsl

from components.shared.images import TRAIN


@dsl.component(base_image=TRAIN, install_kfp_package=False)
def finetune(
    config: str,
    twin: str,
    model: dsl.Output[dsl.Model],
    dataset: dsl.Input[dsl.Dataset] = None,
    allow_dirty: bool = False,
) -> None:
    """LoRA adapter of the foundation model, registered."""
    from components.finetune import core
    from components.runtime import entry

    entry.task(core.run, "finetune", config, twin, model, allow_dirty=allow_dirty, dataset=dataset)
