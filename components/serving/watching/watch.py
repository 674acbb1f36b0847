"""The observer that counts signals and drift, on a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from components.adapters.warehouse.contract import Warehouse
from components.dataflows.drift_reference import Reference
from components.dataflows.drift_window import Window
from components.runtime import quality, watched
from components.runtime.champion import champion_of
from components.serving.exchange import Exchange
from components.serving.watching import publishing, rows, saying
from components.shared.config import Config
from components.shared.metrics.drift import WATCH_DROPPED
from components.shared.metrics.instruments import Instruments

log = logging.getLogger("twinstack.serving")

#: Exchanges that wait to be looked at; what comes on top is dropped and counted.
WAITING = 2_048

#: Seconds between two looks: exchanges are cheapest by the dozen.
TICK = 0.25

#: Exchanges of a classic twin that are worth a look before its window's turn: a numpy call costs as much for
#: one row as for a hundred.
BATCH = 64

#: Routes whose exchanges have a question and an answer.
ASKED = ("chat", "completions")

Noted = tuple[Exchange, float]


class Watch:
    """An `Observer`: remembers exchanges in a microsecond, and looks at them later.

    Args:
        config: The monitors of the twins.
        warehouse: Where windows are added up.
        instruments: Where signals are counted.
    """

    def __init__(self, config: Config, warehouse: Warehouse, instruments: Instruments) -> None:
        self._config = config
        self._warehouse = warehouse
        self._instruments = instruments
        self._waiting: deque[Noted] = deque()
        self._batches: dict[tuple[str, str], list[Noted]] = {}
        self._references: dict[str, Reference | None] = {}
        self._windows: dict[tuple[str, str], Window] = {}
        self._published: dict[str, str] = {}
        self._failing = False
        self._ends = threading.Event()
        self._flushed = {twin: time.monotonic() for twin in config.twins}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        for twin in self._config.twins:
            self._instruments.add(WATCH_DROPPED, 0, twin)
        self._thread.start()

    def stop(self) -> None:
        """Look at what waits, add it to the windows, and end."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def __call__(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Remember an answered exchange."""
        if status >= 400 or exchange.output is None:  # noqa: PLR2004
            return
        if len(self._waiting) >= WAITING:
            self._instruments.add(WATCH_DROPPED, 1, exchange.twin)
            return
        self._waiting.append((exchange, seconds))

    def _run(self) -> None:
        while not self._ends.wait(TICK):
            self._guarded()
        self._flushed = dict.fromkeys(self._flushed, float("-inf"))
        self._guarded()

    def _guarded(self) -> None:
        try:
            self.look()
        except Exception as error:  # watching never takes a front down; the windows are kept for the next try
            if not self._failing:
                log.error("the watch failed and tries again: %s: %s", type(error).__name__, error)
            self._failing = True
        else:
            self._failing = False

    def look(self) -> None:
        """Count what waits, and add to the windows of the twins whose turn it is."""
        for _ in range(len(self._waiting)):
            noted = self._waiting.popleft()
            self._batches.setdefault((noted[0].twin, noted[0].release), []).append(noted)
        due = {twin for twin in self._config.twins if self._due(twin)}
        for twin, release in list(self._batches):
            few = len(self._batches[twin, release]) < BATCH
            if not few or twin in due or self._config.twin(twin).kind == "llm":
                self._count(twin, release, self._batches.pop((twin, release)))
        for twin in due:
            self._flush(twin)
            self._flushed[twin] = time.monotonic()

    def _due(self, twin: str) -> bool:
        return time.monotonic() - self._flushed[twin] >= self._config.twin(twin).monitor.flush_seconds

    def _count(self, twin: str, release: str, batch: Sequence[Noted]) -> None:
        seen = [(one, seconds) for one, seconds in batch if not one.paired]
        frozen = self._reference(release)
        window = self._windows.setdefault((twin, release), Window(frozen)) if frozen else None
        if self._config.twin(twin).kind == "llm":
            asked = [(one, seconds) for one, seconds in seen if one.route in ASKED]
            for one, seconds in asked:
                saying.count(self._instruments, one, seconds)
            if window and asked:
                window.add(*rows.llm([one for one, _ in asked]))
        elif window:
            predicted = [one for one, _ in seen if one.features is not None]
            if predicted:
                window.add(*rows.classic(predicted, rows.columns(window.reference)))

    def _reference(self, release: str) -> Reference | None:
        if release not in self._references:
            self._references[release] = found = watched.reference(self._warehouse, release)
            if found is None:
                log.warning("release %s has no frozen reference; its drift is not watched", release)
        return self._references[release]

    def _flush(self, twin: str) -> None:
        settings = self._config.twin(twin)
        for key in [key for key in self._windows if key[0] == twin]:
            fresh = self._windows[key]
            watched.add(self._warehouse, *key, fresh, settings.monitor, settings.seed)
            self._windows[key] = Window(fresh.reference)
        self._publish(twin)

    def _publish(self, twin: str) -> None:
        """Show the champion's last window, whichever replica closed it."""
        release = champion_of(self._warehouse, twin)
        frozen = self._reference(release.id) if release else None
        if release is None or frozen is None:
            return
        publishing.reference(self._instruments, twin, frozen)
        if found := quality.newest(self._warehouse, release.id):
            publishing.quality(self._instruments, twin, release.id, found)
        closed = watched.newest(self._warehouse, release.id)
        if closed and self._published.get(twin) != closed.end:
            publishing.window(self._instruments, closed, [one.name for one in frozen.signals])
            self._published[twin] = closed.end
            if closed.drifted:
                log.warning("twin '%s' drifted in %d rows: %s", twin, closed.rows, ", ".join(closed.drifted))
