"""KFP shell of `embed`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def embed(
    config: str,
    twin: str,
    features: dsl.Output[dsl.Dataset],
    validated: dsl.Input[dsl.Dataset] = None,
) -> None:
    """Documents to chunks to embeddings to a new index version."""
    from components.embed import core
    from components.runtime import entry

    entry.task(core.run, "embed", config, twin, features, validated=validated)
