"""The table of all metrics, put together from the modules of their subjects."""

from collections.abc import Iterator

from components.shared.metrics import drift, llm, operations, records, requests, steps, traffic
from components.shared.metrics.metric import Metric

SUBJECTS = (requests, traffic, llm, drift, records, steps, operations)

TABLE: tuple[Metric, ...] = tuple(
    one for subject in SUBJECTS for one in vars(subject).values() if isinstance(one, Metric)
)


def exposed(metric: Metric) -> Iterator[str]:
    """Names of the series that a scrape holds for a metric."""
    if metric.kind == "histogram":
        yield from (f"{metric.name}_{end}" for end in ("bucket", "count", "sum"))
    else:
        yield metric.name
