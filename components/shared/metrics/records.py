"""Metrics of interactions on their way to the warehouse."""

from components.shared.metrics.metric import Metric

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
