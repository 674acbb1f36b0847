"""Windows of what the fronts see, in the warehouse: replicas add to one open window a release, exactly once.

The open window is one document that changes by compare-and-set. Who adds the rows that make it due closes it:
the drift is computed, stored, and the next window begins, in one transaction.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from components.adapters.warehouse.contract import ConflictError, Expected, Warehouse
from components.dataflows import drift_window
from components.dataflows.drift_reference import REFERENCES, Reference
from components.dataflows.drift_window import Drift, Rule, Window
from components.shared.config.base import Monitor
from components.shared.releases import Release

#: Warehouse collections: the open window a release, and the last closed ones.
WINDOWS = "drift_windows"
RESULTS = "drift_results"

#: Closed windows that are kept a release.
KEPT = 30

#: Tries to add to a window that other replicas add to at the same time.
TRIES = 20


@dataclass(frozen=True)
class Closed:
    """A closed window.

    Attributes:
        twin: Name of the twin.
        release: Whose answers they were.
        start: ISO 8601 time of the first row.
        end: ISO 8601 time of closing.
        rows: How many.
        signals: Drift of each, the most suspicious first.
    """

    twin: str
    release: str
    start: str
    end: str
    rows: int
    signals: tuple[Drift, ...]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the signals that drifted."""
        return tuple(one.name for one in self.signals if one.drifted)


def freeze(warehouse: Warehouse, release: Release, reference: Reference) -> None:
    """Keep the reference of a release, once: windows are sums over its very bins."""
    if warehouse.get(REFERENCES, release.id) is None:
        body = reference.model_copy(update={"made": release.created}).model_dump(mode="json")
        warehouse.apply({REFERENCES: ([{"_id": release.id, "twin": release.twin, "body": body}], ())})


def reference(warehouse: Warehouse, release: str) -> Reference | None:
    """The reference of a release; None where it was made by a version that froze none."""
    found = warehouse.get(REFERENCES, release)
    return Reference.model_validate(found["body"]) if found else None


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def add(
    warehouse: Warehouse,
    twin: str,
    release: str,
    fresh: Window,
    settings: Monitor,
    seed: int,
    clock: Callable[[], datetime] = now,
) -> Closed | None:
    """Add rows to the open window of a release, and close it where it is due.

    Args:
        warehouse: Where it lies.
        twin: Name of the twin.
        release: Whose window.
        fresh: What came since the last call; without rows it only closes.
        settings: When a window is due and what counts as drift.
        seed: Of the simulated thresholds.
        clock: The time.

    Returns:
        The window, where it was closed.

    Raises:
        ConflictError: Other replicas were faster every time.
    """
    for _ in range(TRIES):
        found = warehouse.get(WINDOWS, release)
        if found is None and not fresh.rows:
            return None
        before = found or {"revision": None, "closed": 0}
        merged, start = _merged(fresh, before, clock)
        due = _due(merged, start, settings, clock())
        if not fresh.rows and not due:
            return None
        closed = _close(twin, release, merged, start, settings, seed, clock()) if due else None
        stored = {
            "_id": release,
            "twin": twin,
            "revision": (before["revision"] or 0) + 1,
            "closed": before["closed"] + (closed is not None),
            "start": start.isoformat(),
            "window": (Window(fresh.reference) if closed else merged).packed(),
        }
        try:
            warehouse.apply(_changes(stored, closed), Expected(WINDOWS, release, before["revision"]))
        except ConflictError:
            continue
        return closed
    raise ConflictError(
        f"the window of release {release} was changed {TRIES} times by others",
        where="drift",
        remedy="raise monitor.flush_seconds",
    )


def _changes(stored: dict[str, Any], closed: Closed | None) -> dict[str, Any]:
    """The open window as it is from now on and, where it was closed, its result over the oldest one kept."""
    if closed is None:
        return {WINDOWS: ([stored], ())}
    number = stored["closed"]
    place = f"{stored['_id']}-{(number - 1) % KEPT:02}"
    result = {"_id": place, "number": number, **asdict(closed)}
    return {WINDOWS: ([stored], ()), RESULTS: ([result], ())}


def _merged(fresh: Window, before: Any, clock: Callable[[], datetime]) -> tuple[Window, datetime]:
    stored = drift_window.unpacked(fresh.reference, before["window"]) if "window" in before else None
    if stored is None or not stored.rows:
        return fresh, clock()
    stored.merge(fresh)
    return stored, datetime.fromisoformat(before["start"])


def _due(window: Window, start: datetime, settings: Monitor, at: datetime) -> bool:
    old = (at - start).total_seconds() >= settings.window_seconds
    return window.rows >= settings.window_rows or (old and window.rows >= settings.minimum_rows)


def _close(
    twin: str, release: str, window: Window, start: datetime, settings: Monitor, seed: int, at: datetime
) -> Closed:
    rule = Rule(settings.false_alarm_rate, settings.smallest_psi, seed)
    found = tuple(drift_window.drifts(window, rule))
    return Closed(twin, release, start.isoformat(), at.isoformat(), window.rows, found)


def results(warehouse: Warehouse, release: str) -> list[Closed]:
    """The last closed windows of a release, newest first."""
    found = sorted(warehouse.scan(RESULTS, release=release), key=lambda one: -one["number"])
    return [_read(one) for one in found]


def newest(warehouse: Warehouse, release: str) -> Closed | None:
    """The last closed window of a release."""
    window = warehouse.get(WINDOWS, release)
    if window is None or not window["closed"]:
        return None
    found = warehouse.get(RESULTS, f"{release}-{(window['closed'] - 1) % KEPT:02}")
    return _read(found) if found else None


def _read(found: dict[str, Any]) -> Closed:
    signals = tuple(Drift(**{**one, **_tuples(one)}) for one in found["signals"])
    return Closed(found["twin"], found["release"], found["start"], found["end"], found["rows"], signals)


def _tuples(one: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) for name, value in one.items() if isinstance(value, list)}
