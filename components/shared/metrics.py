"""Every metric of Twinstack: one table of plain data; code, documentation and dashboards are made from it.

Base units, and labels only from closed sets: never a user, a prompt or a request id.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from components.shared.metric import LENGTHS, SCORES, SECONDS, TOKEN_SECONDS, VALUES, Metric, Side

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: Features that have series of their own; the worst of the rest is `other`.
FEATURES = 64

#: What a label says where a request never reached a twin.
NONE = "none"


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
    mode="livemax",
)
RELEASE_FAILED = Metric(
    "twinstack_release_failed",
    "gauge",
    ("twin", "release"),
    "1 for each release of the traffic that a front could not open; it is tried again.",
    mode="livemax",
)

# Traffic and limits.
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

# What an LLM twin reads and says.
OUTPUT_TOKEN_SECONDS = Metric(
    "twinstack_time_per_output_token_seconds",
    "histogram",
    ("twin",),
    "Time of a token of an answer after the first.",
    TOKEN_SECONDS,
)
COST = Metric(
    "twinstack_cost_total", "counter", ("twin", "release"), "Money that answers cost, in the configured unit."
)
CONTEXT_TOKENS = Metric(
    "twinstack_context_tokens",
    "histogram",
    ("twin",),
    "Tokens that the model read for an answer: prompt, chunks and conversation.",
    LENGTHS,
)
OUTPUT_TOKENS = Metric("twinstack_output_tokens", "histogram", ("twin",), "Tokens of an answer.", LENGTHS)
QUESTION_CHARACTERS = Metric(
    "twinstack_question_characters", "histogram", ("twin",), "Characters of a caller's last message.", LENGTHS
)
REFUSALS = Metric(
    "twinstack_refusal_total", "counter", ("twin", "release"), "Answers that decline to answer."
)
EMPTY_RETRIEVALS = Metric(
    "twinstack_empty_retrieval_total", "counter", ("twin",), "Questions answered without any chunk found."
)
QUESTION_LANGUAGE = Metric(
    "twinstack_language_total", "counter", ("twin", "language"), "Questions by language."
)
PERSONAL_DATA = Metric(
    "twinstack_personal_data_total",
    "counter",
    ("twin", "text", "data"),
    "Questions and answers that hold personal data of a kind.",
)
INJECTIONS = Metric(
    "twinstack_injection_signal_total",
    "counter",
    ("twin",),
    "Questions that look like a prompt injection; counted, never acted upon.",
)
CITATION_COVERAGE = Metric(
    "twinstack_citation_coverage",
    "histogram",
    ("twin",),
    "Share of an answer's sentences that a chunk in its prompt supports.",
    SCORES,
)
FEEDBACK = Metric("twinstack_feedback_total", "counter", ("twin", "release", "verdict"), "Feedback received.")

# Drift of what the fronts see, and quality by late labels.
DRIFT_STATISTIC = Metric(
    "twinstack_drift_statistic",
    "gauge",
    ("twin", "feature", "method"),
    "Distance of the last closed window from the release's reference.",
    mode="mostrecent",
)
DRIFT_THRESHOLD = Metric(
    "twinstack_drift_threshold",
    "gauge",
    ("twin", "feature", "method"),
    "Distance that windows of this size exceed without drift at the configured false alarm rate.",
    mode="mostrecent",
)
DRIFT_ROWS = Metric(
    "twinstack_drift_window_rows", "gauge", ("twin",), "Rows of the last closed window.", mode="mostrecent"
)
DRIFT_CLOSED = Metric(
    "twinstack_drift_window_timestamp_seconds",
    "gauge",
    ("twin",),
    "Unix time at which the last window was closed.",
    mode="mostrecent",
)
DRIFT_REFERENCE = Metric(
    "twinstack_drift_reference_timestamp_seconds",
    "gauge",
    ("twin",),
    "Unix time at which the reference was frozen.",
    mode="mostrecent",
)
WATCH_DROPPED = Metric(
    "twinstack_watch_dropped_total",
    "counter",
    ("twin",),
    "Answers not watched for signals and drift because the watch was busy.",
)
QUALITY = Metric(
    "twinstack_quality",
    "gauge",
    ("twin", "release", "measure", "bound"),
    "Quality on the last window whose labels have matured, with its interval.",
    mode="mostrecent",
)
LABEL_SHARE = Metric(
    "twinstack_label_ratio",
    "gauge",
    ("twin",),
    "Share of the answers in the last matured window that have a label.",
    mode="mostrecent",
)

# Interactions on their way to the warehouse.
SPOOLED = Metric(
    "twinstack_record_total",
    "counter",
    ("fate",),
    "Records of interactions and feedback: written to the spool, stored in the warehouse, damaged on disk, "
    "refused by the warehouse.",
)
SPOOL_RECORDS = Metric(
    "twinstack_spool_records", "gauge", (), "Interactions accepted that are not in the warehouse yet."
)
SPOOL_LAG = Metric(
    "twinstack_spool_lag_seconds",
    "gauge",
    (),
    "Age of the oldest interaction that is not in the warehouse yet; 0 where there is none.",
    mode="livemax",
)

# Stages of a pipeline, through the Pushgateway.
STEP_SUCCESS = Metric(
    "twinstack_step_last_success_timestamp_seconds",
    "gauge",
    ("twin", "step"),
    "Unix time at which a stage, or a whole run, last ended well, skipped or not.",
    side="step",
)
STEP_FAILURE = Metric(
    "twinstack_step_last_failure_timestamp_seconds",
    "gauge",
    ("twin", "step"),
    "Unix time at which a stage, or a whole run, last failed.",
    side="step",
)
STEP_SECONDS = Metric(
    "twinstack_step_duration_seconds", "gauge", ("twin", "step"), "Time that a stage took.", side="step"
)
STEP_ROWS = Metric(
    "twinstack_step_rows",
    "gauge",
    ("twin", "step"),
    "Rows, documents, chunks or examples that the stage's output holds.",
    side="step",
)

# Operations: what waits for a person, and what was run.
APPROVALS_PENDING = Metric(
    "twinstack_approvals_pending",
    "gauge",
    ("twin", "subject"),
    "Questions that wait for a person's answer.",
    side="console",
    mode="mostrecent",
)
RUNS = Metric(
    "twinstack_run_total",
    "counter",
    ("twin", "pipeline", "state"),
    "Pipeline runs that ended, of those that the operations API started.",
    side="console",
)
ALERTS_RECEIVED = Metric(
    "twinstack_alert_total", "counter", (), "Episodes of alerts that Alertmanager told.", side="console"
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
    RELEASE_FAILED,
    QUEUE_DEPTH,
    QUEUE_SECONDS,
    LIMITED,
    TOKEN_BUDGET,
    RETRIES,
    BREAKER,
    SHADOWS,
    CACHE,
    OUTPUT_TOKEN_SECONDS,
    COST,
    CONTEXT_TOKENS,
    OUTPUT_TOKENS,
    QUESTION_CHARACTERS,
    REFUSALS,
    EMPTY_RETRIEVALS,
    QUESTION_LANGUAGE,
    PERSONAL_DATA,
    INJECTIONS,
    CITATION_COVERAGE,
    FEEDBACK,
    DRIFT_STATISTIC,
    DRIFT_THRESHOLD,
    DRIFT_ROWS,
    DRIFT_CLOSED,
    DRIFT_REFERENCE,
    WATCH_DROPPED,
    QUALITY,
    LABEL_SHARE,
    SPOOLED,
    SPOOL_RECORDS,
    SPOOL_LAG,
    STEP_SUCCESS,
    STEP_FAILURE,
    STEP_SECONDS,
    STEP_ROWS,
    APPROVALS_PENDING,
    RUNS,
    ALERTS_RECEIVED,
)


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
