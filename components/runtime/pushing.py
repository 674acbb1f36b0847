"""What a stage tells the Pushgateway: when it last ended well or badly, how long it took, how much it made.

A pod of a stage is gone before Prometheus could scrape it. The grouping key is namespace, twin and stage,
without a run: each run takes the place of the one before, and nothing piles up. `pushadd` replaces only what
it brings, so that the time of the last success outlives a failure.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from components.runtime.context import Context
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    from components.shared.metrics.instruments import Instruments

#: The `job` of everything pushed.
JOB = "twinstack"

#: Seconds to wait for the gateway.
PATIENCE = 5.0

#: Facts of a manifest that count what a stage made, the finest first.
COUNTS = ("rows", "chunks", "examples", "documents")


def succeeded(context: Context, made: Manifest, seconds: float) -> None:
    """Tell that a stage ended well, skipped or not. Does nothing where no gateway is configured.

    Args:
        context: The stage.
        made: What it committed, or found committed.
        seconds: How long it took.
    """
    from components.shared.metrics.steps import STEP_ROWS, STEP_SECONDS, STEP_SUCCESS

    def fill(instruments: "Instruments") -> None:
        labels = (context.twin, context.stage)
        instruments.set(STEP_SUCCESS, time.time(), *labels)
        instruments.set(STEP_SECONDS, seconds, *labels)
        counted = (made.facts.get(name) for name in COUNTS)
        if (rows := next((one for one in counted if isinstance(one, int)), None)) is not None:
            instruments.set(STEP_ROWS, rows, *labels)

    _push(context, fill)


def ended(context: Context, *, well: bool) -> None:
    """Tell that something ended now, and whether well: a stage, or a whole run."""
    from components.shared.metrics.steps import STEP_FAILURE, STEP_SUCCESS

    metric = STEP_SUCCESS if well else STEP_FAILURE
    _push(context, lambda instruments: instruments.set(metric, time.time(), context.twin, context.stage))


def _push(context: Context, fill: "Callable[[Instruments], None]") -> None:
    """A gateway that does not answer fails no stage: what the stage made counts."""
    cluster = context.config.cluster
    if not cluster.pushgateway:
        return
    from prometheus_client import CollectorRegistry, pushadd_to_gateway

    from components.shared.metrics.instruments import Instruments

    registry = CollectorRegistry()
    fill(Instruments(registry, side="step"))
    key = {"namespace": cluster.namespace, "twin": context.twin, "step": context.stage}
    try:
        pushadd_to_gateway(cluster.pushgateway, JOB, registry, grouping_key=key, timeout=PATIENCE)
    except OSError as error:
        context.progress.note(f"the Pushgateway {cluster.pushgateway} did not take the metrics: {error}")
