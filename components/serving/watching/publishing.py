"""The last closed window of a champion as gauges."""

from collections.abc import Iterable
from datetime import datetime

from components.dataflows.drift_reference import Reference
from components.dataflows.drift_window import Drift
from components.dataflows.quality import Quality
from components.runtime.watched import Closed
from components.shared.metrics.drift import (
    DRIFT_CLOSED,
    DRIFT_REFERENCE,
    DRIFT_ROWS,
    DRIFT_STATISTIC,
    DRIFT_THRESHOLD,
    FEATURES,
    LABEL_SHARE,
    QUALITY,
)
from components.shared.metrics.instruments import Instruments

#: Where the worst of the features stands that have no series of their own.
OTHER = "other"


def reference(instruments: Instruments, twin: str, frozen: Reference) -> None:
    """How old the reference is."""
    instruments.set(DRIFT_REFERENCE, datetime.fromisoformat(frozen.made).timestamp(), twin)


def window(instruments: Instruments, closed: Closed, order: Iterable[str]) -> None:
    """Statistics and thresholds of a window.

    Args:
        instruments: Where.
        closed: The window.
        order: Names of the signals in the reference's order; the first of them have series of their own.
    """
    own = set(list(order)[:FEATURES])
    rest: dict[str, Drift] = {}
    for one in closed.signals:
        if one.name in own:
            _signal(instruments, closed.twin, one.name, one)
        else:  # the most suspicious comes first
            rest.setdefault(one.method, one)
    for one in rest.values():
        _signal(instruments, closed.twin, OTHER, one)
    instruments.set(DRIFT_ROWS, closed.rows, closed.twin)
    instruments.set(DRIFT_CLOSED, datetime.fromisoformat(closed.end).timestamp(), closed.twin)


def quality(instruments: Instruments, twin: str, release: str, found: Quality) -> None:
    """Quality on matured labels, with its intervals."""
    for name, one in found.measures.items():
        for bound, value in (("estimate", one.value), ("lower", one.low), ("upper", one.high)):
            instruments.set(QUALITY, value, twin, release, name, bound)
    instruments.set(LABEL_SHARE, found.share, twin)


def _signal(instruments: Instruments, twin: str, name: str, one: Drift) -> None:
    for method, value in one.statistics.items():
        instruments.set(DRIFT_STATISTIC, value, twin, name, method)
        instruments.set(DRIFT_THRESHOLD, one.thresholds[method], twin, name, method)
