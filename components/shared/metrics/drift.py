"""Metrics of drift in what the fronts see, and of quality by late labels."""

from components.shared.metrics.metric import Metric

#: Features that have series of their own; the worst of the rest is `other`.
FEATURES = 64

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
