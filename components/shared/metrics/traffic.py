"""Metrics of traffic: queues, limits, retries, circuits, caches."""

from components.shared.metrics.metric import SECONDS, Metric

QUEUE_DEPTH = Metric("twinstack_queue_depth", "gauge", ("twin",), "Requests that wait for their turn.")
QUEUE_SECONDS = Metric(
    "twinstack_queue_wait_seconds",
    "histogram",
    ("twin",),
    "Time that a request waited for its turn.",
    SECONDS,
)
LIMITED = Metric(
    "twinstack_limited_total", "counter", ("twin", "limit"), "Requests refused because a limit was reached."
)
TOKEN_BUDGET = Metric(
    "twinstack_token_budget_spent_ratio",
    "gauge",
    ("key",),
    "Share of its token budget that an API key has spent.",
    mode="livemax",
)
BUDGET_REFUSED = Metric(
    "twinstack_token_budget_refused_total",
    "counter",
    ("key",),
    "Requests refused because they may need more tokens than their API key has left today.",
)
RETRIES = Metric("twinstack_retry_total", "counter", ("twin", "release"), "Attempts at a predictor repeated.")
BREAKER = Metric(
    "twinstack_breaker_state",
    "gauge",
    ("twin", "release"),
    "Circuit breaker of a release: 0 closed, 1 half open, 2 open.",
    mode="livemax",
)
SHADOWS = Metric(
    "twinstack_shadow_total", "counter", ("twin", "release", "shadow"), "Requests copied to a shadow release."
)
CACHE = Metric("twinstack_cache_total", "counter", ("twin", "cache", "result"), "Look-ups in a cache.")
STANDBY = Metric(
    "twinstack_standby_state",
    "gauge",
    ("twin", "release"),
    "Release that may be wanted next: 0 no longer, 1 not open yet, 2 open, 3 it could not be opened.",
    mode="livemax",
)
