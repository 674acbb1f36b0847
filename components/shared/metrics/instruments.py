"""The table of metrics as objects of prometheus_client."""

from typing import TYPE_CHECKING, Any

from components.shared.metrics.metric import VALUES, Metric, Side
from components.shared.metrics.table import TABLE

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Instruments:
    """The table as prometheus_client objects; finding one with its labels costs one look-up in a dictionary.

    Args:
        registry: Where they register; None is the process's default registry.
        side: Whose metrics.
    """

    def __init__(self, registry: "CollectorRegistry | None" = None, side: Side = "front") -> None:
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics

        # A second series a counter, which no query of ours reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        into = REGISTRY if registry is None else registry
        self._families: dict[str, Any] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        for one in TABLE:
            if one.side != side:
                continue
            if one.kind == "histogram":
                made: Any = Histogram(one.name, one.help, one.labels, registry=into, buckets=one.buckets)
            elif one.kind == "counter":
                made = Counter(one.name, one.help, one.labels, registry=into)
            else:
                made = Gauge(one.name, one.help, one.labels, registry=into, multiprocess_mode=one.mode)
            self._families[one.name] = made

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Raise a counter or a gauge. Labels are values in the metric's order."""
        self._child(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge. Labels are values in the metric's order."""
        self._child(metric, labels).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Count a value into a histogram. Labels are values in the metric's order."""
        self._child(metric, labels).observe(value)

    def _child(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        key = (metric.name, *labels)
        found = self._children.get(key)
        if found is None:
            for name, value in zip(metric.labels, labels, strict=True):
                if name in VALUES and value not in VALUES[name]:
                    raise ValueError(f"label {name} of {metric.name} is '{value}', not one of {VALUES[name]}")
            family = self._families[metric.name]
            found = self._children[key] = family.labels(*labels) if labels else family
        return found
