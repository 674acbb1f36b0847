"""KFP shell of `train`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def train(
    config: str,
    twin: str,
    model: dsl.Output[dsl.Model],
    dataset: dsl.Input[dsl.Dataset] = None,
    allow_dirty: bool = False,
) -> None:
    """XGBoost candidate and its scorecard fallback, registered."""
    from components.runtime import entry
    from components.train import core

    entry.task(core.run, "train", config, twin, model, allow_dirty=allow_dirty, dataset=dataset)
