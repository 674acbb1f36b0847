"""Metrics of requests and of the releases that answer them."""

from components.shared.metrics.metric import SECONDS, Metric

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
STAGE_SECONDS = Metric(
    "twinstack_stage_seconds",
    "histogram",
    ("twin", "stage"),
    "Time that a stage of answering took: features, retrieval, prompt, predictor, fallback.",
    SECONDS,
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
    mode="livemax",
)
RELEASE_FAILED = Metric(
    "twinstack_release_failed",
    "gauge",
    ("twin", "release"),
    "1 for each release of the traffic that a front could not open; it is tried again.",
    mode="livemax",
)
