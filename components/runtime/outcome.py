"""What is said at the end of a pipeline run on a cluster."""

import os

import httpx

from components.shared.config import parse
from components.shared.progress import emit

#: Seconds to wait for the receiver.
PATIENCE = 10.0


def report(config: str, twin: str, pipeline: str, state: str, run: str) -> None:
    """Write the end of a run as an event line, and post it where the configuration names an address.

    A receiver that does not answer fails nothing: the run is over, and its own state is what counts.

    Args:
        config: JSON text of the configuration.
        twin: Name of the twin.
        pipeline: Name of the pipeline.
        state: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        run: KFP's name of the run.
    """
    cluster = parse(config).cluster
    ended = {"pipeline": pipeline, "twin": twin, "state": state, "run": run, "namespace": cluster.namespace}
    emit("run", **ended)
    address = os.environ.get(cluster.report_variable) if cluster.report_variable else None
    if not address:
        return
    try:
        httpx.post(address, json=ended, timeout=PATIENCE).raise_for_status()
    except httpx.HTTPError as error:
        # The kind of the failure only: the address, which an error text may repeat, is a secret.
        emit("note", stage="report", twin=twin, text=f"the receiver did not take it: {type(error).__name__}")
