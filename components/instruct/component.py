"""KFP shell of `instruct`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def instruct(
    config: str,
    twin: str,
    dataset: dsl.Output[dsl.Dataset],
    validated: dsl.Input[dsl.Dataset] = None,
    features: dsl.Input[dsl.Dataset] = None,
) -> None:
    """Instruction examples built from the corpus, with a held-out part."""
    from components.instruct import core
    from components.runtime import entry

    entry.task(core.run, "instruct", config, twin, dataset, validated=validated, features=features)
