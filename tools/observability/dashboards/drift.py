"""Distance of what the fronts see from what the releases were trained on; quality by late labels."""

from components.shared.metrics.drift import (
    DRIFT_CLOSED,
    DRIFT_REFERENCE,
    DRIFT_ROWS,
    DRIFT_STATISTIC,
    LABEL_SHARE,
    QUALITY,
    WATCH_DROPPED,
)
from tools.observability import data_alerts
from tools.observability.dashboards.parts import (
    Board,
    Panel,
    Query,
    Row,
    largest,
    line,
    recorded,
    seldom,
)

DISTANCES = Row(
    "Distances",
    [
        Panel(
            "Distance over threshold",
            "The ten features nearest to drift, or beyond: above 1, the last window lies farther from the "
            "training data than windows of this size do without drift. One may by chance, two alert.",
            "short",
            [Query(f"topk(10, {recorded(data_alerts.DRIFT)})", "{{twin}} {{feature}}")],
            limit=1,
        ),
        Panel(
            "Features beyond their threshold",
            "Many at once, from one window to the next, mean a broken data path rather than a changed world.",
            "short",
            [
                Query(
                    f"count by (namespace, twin) ({recorded(data_alerts.DRIFT)} > 1)"
                    f" or 0 * max by (namespace, twin) ({recorded(data_alerts.DRIFT)})",
                    "{{twin}}",
                )
            ],
        ),
        Panel(
            "Distances by method",
            "The largest distance of any feature, by method: PSI, JS and KS for values, MMD for embeddings.",
            "short",
            [line(largest, DRIFT_STATISTIC, "method")],
        ),
    ],
)

WINDOWS = Row(
    "Windows",
    [
        Panel(
            "Rows of the last window",
            "A window closes by rows or by time; small windows have high thresholds.",
            "short",
            [line(largest, DRIFT_ROWS)],
        ),
        Panel(
            "Age of the last window",
            "Time since a window was closed. It grows without traffic, and when nothing watches.",
            "s",
            [Query(f"time() - {largest(DRIFT_CLOSED)}", "{{twin}}")],
        ),
        Panel(
            "Age of the reference",
            "Time since the data that windows are compared with was frozen: the age of the training.",
            "s",
            [Query(f"time() - {largest(DRIFT_REFERENCE)}", "{{twin}}")],
        ),
        Panel(
            "Answers not watched",
            "Answers a second that were not watched because the watch was busy. No request waits for it.",
            "reqps",
            [line(seldom, WATCH_DROPPED)],
        ),
    ],
)

LABELS = Row(
    "Quality by late labels",
    [
        Panel(
            "Quality",
            "Measured on the last window whose labels have matured, with its interval.",
            "short",
            [line(largest, QUALITY, "release", "measure", "bound")],
        ),
        Panel(
            "Labels present",
            "Share of the answers in the last matured window that have a label. Quality of a small share may "
            "not speak for all.",
            "percentunit",
            [line(largest, LABEL_SHARE)],
        ),
    ],
)

BOARD = Board(
    "drift",
    "Drift",
    "Do the models still see what they were trained on, and are they still right?",
    [DISTANCES, WINDOWS, LABELS],
)
