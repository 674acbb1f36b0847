"""KFP shell of `collect`."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def collect(config: str, twin: str, collected: dsl.Output[dsl.Dataset]) -> None:
    """Sources to warehouse, incrementally; deletions honoured."""
    from components.collect import core
    from components.runtime import entry

    entry.task(core.run, "collect", config, twin, collected)
