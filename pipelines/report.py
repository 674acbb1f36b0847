"""KFP shell of the report at the end of every run on a cluster."""

from kfp import dsl

from components.shared.images import PIPELINE


@dsl.component(base_image=PIPELINE, install_kfp_package=False)
def report(
    status: dsl.PipelineTaskFinalStatus, config: str, twin: str, pipeline: str, run: str, ui: str
) -> None:
    """Say how the run ended, whether it succeeded or not."""
    from components.runtime import outcome

    outcome.report(config, twin, pipeline, status.state, run, error=status.error_message or "", ui=ui)
