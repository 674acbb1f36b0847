"""Alerts on what no request shows: drift, stale data, stages that failed, monitors that stopped."""

from components.shared.metrics.drift import DRIFT_CLOSED, DRIFT_ROWS, DRIFT_STATISTIC, DRIFT_THRESHOLD
from components.shared.metrics.requests import REQUESTS
from components.shared.metrics.steps import STEP_FAILURE, STEP_SUCCESS
from tools.observability.objectives import DATA_AGE, MONITOR_AGE
from tools.observability.promql import Clock, increase, max_by, on, select, series, sum_by
from tools.observability.rules import Alert, Group, Record
from tools.observability.slo import ANSWERING

#: Largest distance of a feature's last window, in thresholds: above 1 it drifted.
DRIFT = "twinstack:drift:ratio"

DRIFT_ALERT = "TwinstackDrift"


def recording(clock: Clock) -> Group:
    """Distances over thresholds."""
    ratio = f"{select(DRIFT_STATISTIC)} / {select(DRIFT_THRESHOLD)}"
    return Group("twinstack-drift", [Record(DRIFT, max_by(ratio, "twin", "feature"))])


def drift(clock: Clock) -> Alert:
    """Drift that persists.

    One window in a hundred exceeds its threshold without any drift, so that with many features some always
    does. The alert takes two windows in a row and at least an hour of windows: a window closed within the
    hour, and all of the hour's exceeded. From then on it holds until a window does not exceed.
    """
    hour = clock("1h")
    closed = max_by(f"changes({select(DRIFT_CLOSED)}[{hour}])", "twin")
    persisted = f"min_over_time({series(DRIFT)}[{hour}]) > 1 and {on('twin')} ({closed} >= 1)"
    held = series("ALERTS", alertname=DRIFT_ALERT, alertstate="firing")
    return Alert(
        DRIFT_ALERT,
        f"({series(DRIFT)} > 1) and {on('twin', 'feature')} (({persisted}) or {held})",
        clock("1m"),
        "ticket",
        "Feature {{ $labels.feature }} of twin {{ $labels.twin }} has drifted from its training data: "
        '{{ $value | printf "%.1f" }} times its threshold.',
        "Dashboard Drift; the report of the monitor stage: twin run monitor --twin {{ $labels.twin }}.",
        "Find out whether the world or the data path changed; mend the path, or approve a retraining.",
        by=("twin", "feature"),
    )


def _age(step: str, objective: str) -> str:
    last = max_by(select(STEP_SUCCESS, step=step), "twin")
    return f"time() - {last} > on () group_left () max({series(objective)})"


def data_stale(clock: Clock) -> Alert:
    """Nobody has looked at the sources for too long."""
    return Alert(
        "TwinstackDataStale",
        _age("collect", DATA_AGE),
        clock("5m"),
        "ticket",
        "The sources of twin {{ $labels.twin }} were last collected {{ $value | humanizeDuration }} ago.",
        "Dashboard Data, row Stages; the recurring run of pipeline collect in the KFP UI.",
        "Run it by hand: twin run collect --twin {{ $labels.twin }}; then mend its schedule.",
    )


def monitor_stale(clock: Clock) -> Alert:
    """Drift would not be seen."""
    closed = (
        f"time() - {max_by(select(DRIFT_CLOSED), 'twin')} > on () group_left () max({series(MONITOR_AGE)})"
    )
    asked = sum_by(increase(select(REQUESTS, route=f"=~{ANSWERING}"), clock("1d")), "twin")
    waiting = f"{asked} > 2 * {max_by(select(DRIFT_ROWS), 'twin')}"
    return Alert(
        "TwinstackMonitorStale",
        f"({_age('monitor', MONITOR_AGE)}) or (({closed}) and {on('twin')} ({waiting}))",
        clock("5m"),
        "ticket",
        "Nothing has looked for drift of twin {{ $labels.twin }} for {{ $value | humanizeDuration }}.",
        "Dashboard Drift, row Windows; the recurring run of pipeline monitor in the KFP UI.",
        "Run it by hand: twin run monitor --twin {{ $labels.twin }}; restart a front that closes no windows.",
    )


def step_failed(clock: Clock) -> Alert:
    """The last run of a stage went wrong."""
    failed = max_by(select(STEP_FAILURE), "twin", "step")
    succeeded = max_by(select(STEP_SUCCESS), "twin", "step")
    return Alert(
        "TwinstackStepFailed",
        f"({failed} > {succeeded}) or ({failed} unless {succeeded})",
        clock("1m"),
        "ticket",
        "Stage {{ $labels.step }} of twin {{ $labels.twin }} failed, and has not ended well since.",
        "The run in the KFP UI; the error line of the stage says what, where and what to do.",
        "Do what the error says and run the pipeline again: it resumes at this stage.",
        by=("twin", "step"),
    )


def group(clock: Clock) -> Group:
    """All of them."""
    return Group("twinstack-data", [make(clock) for make in (drift, data_stale, monitor_stale, step_failed)])
