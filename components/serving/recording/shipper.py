"""Brings what stands in spools to the warehouse: at least once by transport, exactly once by id."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from components.adapters.warehouse.contract import Warehouse
from components.serving.recording.batches import Batch, Item, read
from components.serving.recording.folders import Orphan, Segment, orphans
from components.serving.recording.spool import Spool
from components.serving.recording.storing import Sink
from components.shared.config.interactions import Interactions
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.records import SPOOL_LAG, SPOOL_RECORDS, SPOOLED

log = logging.getLogger("twinstack.serving")

#: Seconds to the next try while the warehouse does not answer: at first, and at most.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

#: Seconds between two looks for spools of processes that have died.
ADOPTION = 30.0


class Shipper:
    """A thread that ships and adopts the spools of the dead; another one forces to the disk and measures.

    A warehouse that hangs holds the first for as long as it likes.

    Args:
        spool: The spool of this process.
        warehouse: Opens the warehouse; called on the thread, again and again while that fails.
        settings: Intervals.
        instruments: Where records and lag are measured.
    """

    def __init__(
        self,
        spool: Spool,
        warehouse: Callable[[], Warehouse],
        settings: Interactions,
        instruments: Instruments,
    ) -> None:
        self._spool = spool
        self._sink = Sink(warehouse, spool.root)
        self._settings = settings
        self._instruments = instruments
        self._orphans: list[Orphan] = []
        self._shipped: dict[Path, int] = {}
        self._stop = threading.Event()
        self._deadline = float("inf")
        self._wait = FIRST_WAIT
        self._own = 0
        self._ahead = time.time()
        self._behind = False
        self._adopted = -float("inf")
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)
        self._keeper = threading.Thread(target=self._keep, name="spool", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._keeper.start()
        self._thread.start()

    def close(self) -> None:
        """Ship what is left within the time to drain; the rest stays for the next start. Blocks."""
        if self._stop.is_set():
            return
        self._deadline = time.monotonic() + self._settings.drain_seconds
        self._stop.set()
        self._thread.join(self._settings.drain_seconds + 1)
        if self._thread.is_alive():
            log.warning("the warehouse did not take the rest in time; it stays in %s", self._spool.folder)
            return
        for one in self._owners():
            one.leave()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._adopt()
                while self._ship() and not self._stop.is_set():
                    pass
                pause = self._settings.ship_seconds
                self._wait = FIRST_WAIT
            except Exception as error:  # whatever fails, the next try may not
                log.warning("interactions wait in the spool: %s: %s", type(error).__name__, error)
                pause, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
            self._measure()
            self._stop.wait(pause)
        self._drain()

    def _keep(self) -> None:
        while not self._stop.wait(self._settings.fsync_seconds):
            try:
                self._spool.sync()
            except OSError as error:  # tried again in the next round; nothing is admitted until then
                log.warning("the spool cannot be forced to the disk: %s", error.strerror or error)
            self._show()

    def _drain(self) -> None:
        """The last round: nothing is appended any more."""
        self._keeper.join()
        try:
            self._spool.close()
            while time.monotonic() < self._deadline and self._ship():
                pass
        except Exception as error:  # it stays in the spool
            log.warning("left in the spool for the next start: %s: %s", type(error).__name__, error)
        self._measure()

    def _adopt(self) -> None:
        now = time.monotonic()
        if now - self._adopted < ADOPTION:
            return
        self._adopted = now
        found = orphans(self._spool.root)
        for one in found:
            waiting = sum(segment.size for segment in one.segments())
            log.info("%d bytes of interactions of a process that has died are shipped now", waiting)
        self._orphans += found

    def _ship(self) -> bool:
        """One transaction; whether there was anything to do."""
        for owner, segment in self._segments():
            start = self._shipped.get(segment.path, 0)
            if start < segment.size:
                self._store(read(owner, segment, start))
                return True
            if segment.closed:
                owner.delete(segment)
                self._shipped.pop(segment.path, None)
                return True
        for one in self._orphans:
            one.leave()
        self._orphans = []
        return False

    def _segments(self) -> Iterator[tuple[Spool | Orphan, Segment]]:
        """The dead first: theirs are older."""
        for owner in self._owners():
            for segment in owner.segments():
                yield owner, segment

    def _owners(self) -> list[Spool | Orphan]:
        return [*self._orphans, self._spool]

    def _store(self, batch: Batch) -> None:
        refused = self._sink.store(batch.items)
        # Only now: had the transaction failed, the same records would come again.
        self._shipped[batch.segment.path] = batch.end
        self._own += len(batch.items) + batch.damaged if batch.owner is self._spool else 0
        self._ahead = max((_seconds(one) for one in batch.items), default=self._ahead)
        self._instruments.add(SPOOLED, len(batch.items) - refused, "stored")
        if refused:
            self._instruments.add(SPOOLED, refused, "refused")
        if batch.damaged:
            self._instruments.add(SPOOLED, batch.damaged, "damaged")
            log.error("%d damaged places in %s are skipped", batch.damaged, batch.segment.path.name)

    def _measure(self) -> None:
        waiting = sum(segment.size - self._shipped.get(segment.path, 0) for _, segment in self._segments())
        self._behind = bool(waiting)
        if not waiting:
            self._ahead = time.time()
        self._show()

    def _show(self) -> None:
        records = self._spool.appended - self._own
        self._instruments.set(SPOOL_RECORDS, records)
        lag = max(0.0, time.time() - self._ahead) if records or self._behind else 0.0
        self._instruments.set(SPOOL_LAG, lag)


def _seconds(one: Item) -> float:
    """Unix time of a record."""
    try:
        return datetime.fromisoformat(one.document["body"]["at"]).astimezone(UTC).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()
