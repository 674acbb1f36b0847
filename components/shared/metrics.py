"""Every metric of Twinstack: one table of plain data; code, documentation and dashboards are made from it.

Base units, and labels only from closed sets: never a user, a prompt or a request id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Kind = Literal["counter", "gauge", "histogram"]

#: Seconds, from what a feature look-up takes to what a long answer takes.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

#: Scores lie between 0 and 1 for cosine similarity and for fused ranks.
SCORES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

#: Label to every value it may have. Labels that are not here have the values of the configuration (`twin`),
#: of the releases (`release`, `model_version`) or of HTTP (`code`).
VALUES: Mapping[str, tuple[str, ...]] = {
    "role": ("champion", "canary", "shadow", "fallback", "none"),
    "route": ("chat", "models", "predict_v1", "infer_v2", "health", "metrics", "other"),
    "stage": ("features", "retrieval", "prompt", "predictor", "fallback"),
    "kind": ("prompt", "completion"),
    "twin_kind": ("classic", "llm"),
}

#: What a label says where a request never reached a twin.
NONE = "none"


@dataclass(frozen=True)
class Metric:
    """One metric: what Prometheus needs to know of it.

    Attributes:
        name: As it is exposed; a counter ends in `_total`.
        kind: Its type.
        labels: Names of its labels.
        help: One sentence.
        buckets: Upper bounds of a histogram.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


REQUESTS = Metric(
    "twinstack_request_total", "counter", ("twin", "release", "role", "route", "code"), "Requests answered."
)
REQUEST_SECONDS = Metric(
    "twinstack_request_seconds",
    "histogram",
    ("twin", "role", "route"),
    "Time from a request's first byte to its answer's last.",
    SECONDS,
)
IN_FLIGHT = Metric("twinstack_requests_in_flight", "gauge", ("route",), "Requests being answered now.")
TOKENS = Metric(
    "twinstack_tokens_total", "counter", ("twin", "release", "kind"), "Tokens read and generated."
)
FIRST_TOKEN_SECONDS = Metric(
    "twinstack_time_to_first_token_seconds",
    "histogram",
    ("twin",),
    "Time from a request to the first token of its answer.",
    SECONDS,
)
STAGE_SECONDS = Metric(
    "twinstack_stage_seconds",
    "histogram",
    ("twin", "stage"),
    "Time that a stage of answering took: features, retrieval, prompt, predictor, fallback.",
    SECONDS,
)
RETRIEVAL_SCORE = Metric(
    "twinstack_retrieval_score", "histogram", ("twin",), "Score of the best chunk found.", SCORES
)
FALLBACKS = Metric(
    "twinstack_fallback_total", "counter", ("twin", "release"), "Answers that the fallback gave."
)
DISCONNECTS = Metric(
    "twinstack_disconnect_total", "counter", ("twin",), "Answers given up because the client had left."
)
RELEASE_INFO = Metric(
    "twinstack_release_info",
    "gauge",
    ("twin", "twin_kind", "release", "role", "model_version"),
    "1 for each release that answers.",
)

TABLE: tuple[Metric, ...] = (
    REQUESTS,
    REQUEST_SECONDS,
    IN_FLIGHT,
    TOKENS,
    FIRST_TOKEN_SECONDS,
    STAGE_SECONDS,
    RETRIEVAL_SCORE,
    FALLBACKS,
    DISCONNECTS,
    RELEASE_INFO,
)


class Instruments:
    """The table as prometheus_client objects; finding one with its labels costs one look-up in a dictionary.

    Args:
        registry: Where they register; None is the process's default registry.
    """

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics

        # A second series a counter, which no query of ours reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        into = REGISTRY if registry is None else registry
        self._families: dict[str, Any] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        for one in TABLE:
            if one.kind == "histogram":
                made: Any = Histogram(one.name, one.help, one.labels, registry=into, buckets=one.buckets)
            else:
                family = Counter if one.kind == "counter" else Gauge
                made = family(one.name, one.help, one.labels, registry=into)
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
            found = self._children[key] = self._families[metric.name].labels(*labels)
        return found


def exposed(metric: Metric) -> Iterator[str]:
    """Names of the series that a scrape holds for a metric."""
    if metric.kind == "histogram":
        yield from (f"{metric.name}_{end}" for end in ("bucket", "count", "sum"))
    else:
        yield metric.name


def markdown() -> str:
    """The table for the documentation."""
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.kind} | {', '.join(one.labels)} | {one.help} |" for one in TABLE]
    return "\n".join(lines) + "\n"
