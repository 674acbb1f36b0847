"""Metrics of operations: what waits for a person, and what was run."""

from components.shared.metrics.metric import Metric

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
CONSOLE_LIMITED = Metric(
    "twinstack_console_limited_total",
    "counter",
    ("limit",),
    "Requests to the operations API refused because their key reached a limit.",
    side="console",
)
