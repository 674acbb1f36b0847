"""Metrics of the stages of a pipeline, which push them to the Pushgateway."""

from components.shared.metrics.metric import Metric

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
