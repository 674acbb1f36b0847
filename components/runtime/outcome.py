"""What is said at the end of a pipeline run on a cluster."""

import os

import httpx

from components.runtime import pushing
from components.runtime.context import Context
from components.shared.config import parse
from components.shared.progress import emit

#: Seconds to wait for the receiver.
PATIENCE = 10.0

#: A server that keeps its runs in ML Metadata uses that one's words for how a task ended
#: (github.com/kubeflow/pipelines, issue 11826).
STATES = {"COMPLETE": "SUCCEEDED", "CACHED": "SUCCEEDED"}


def report(
    config: str, twin: str, pipeline: str, state: str, run: str, *, error: str = "", ui: str = ""
) -> None:
    """Tell the end of a run: as an event line, to the Pushgateway, and to the address that is configured.

    A receiver that does not answer fails nothing: the run is over, and its own state is what counts. To the
    Pushgateway the run is a step `pipeline-NAME`: a stage whose pod was killed could not tell that it failed.

    Args:
        config: JSON text of the configuration.
        twin: Name of the twin.
        pipeline: Name of the pipeline.
        state: How it ended, in the words of the server: `SUCCEEDED` or `COMPLETE`, `FAILED`, `CANCELED`.
        run: Id of the run.
        error: What the server says of a failure.
        ui: Address that people open.
    """
    found = parse(config)
    cluster, state = found.cluster, STATES.get(state, state)
    ended = {"pipeline": pipeline, "twin": twin, "state": state, "run": run, "namespace": cluster.namespace}
    ended |= {"error": error} if error else {}
    ended |= {"link": f"{ui}/#/runs/details/{run}"} if ui else {}
    emit("run", **ended)
    if state in ("SUCCEEDED", "FAILED"):
        pushing.ended(Context(found, twin, f"pipeline-{pipeline}"), well=state == "SUCCEEDED")
    address = os.environ.get(cluster.report_variable) if cluster.report_variable else None
    if not address:
        return
    try:
        httpx.post(address, json=ended, timeout=PATIENCE).raise_for_status()
    except httpx.HTTPError as problem:
        # The kind of the failure only: the address, which an error text may repeat, is a secret.
        text = f"the receiver did not take it: {type(problem).__name__}"
        emit("note", stage="report", twin=twin, text=text)
