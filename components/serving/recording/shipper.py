"""Brings what stands in spools to the warehouse: at least once by transport, exactly once by id."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from components.adapters.warehouse import Document, Warehouse
from components.serving.recording import segments
from components.serving.recording.detected import complete
from components.serving.recording.records import decoded
from components.serving.recording.spool import Orphan, Segment, Spool, orphans
from components.shared.config.interactions import Interactions
from components.shared.errors import DataError
from components.shared.interactions import FEEDBACK
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.records import SPOOL_LAG, SPOOL_RECORDS, SPOOLED

log = logging.getLogger("twinstack.serving")

#: Records and bytes of one transaction.
BATCH, BATCH_BYTES = 500, 4_000_000

#: Seconds to the next try while the warehouse does not answer: at first, and at most.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0

#: Seconds between two looks for spools of processes that have died.
ADOPTION = 30.0

#: Records that no warehouse takes, for a person to look at; in the folder of all spools.
REFUSED = "refused.seg"

#: Errors about a document, not about the warehouse: trying again would not help.
UNSTORABLE = (DataError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True)
class Item:
    """A record on its way."""

    payload: bytes
    collection: str
    document: Document


@dataclass(frozen=True)
class Batch:
    """What one transaction brings, and where it leaves off in its segment."""

    owner: Spool | Orphan
    segment: Segment
    items: Sequence[Item]
    end: int
    damaged: int


class Shipper:
    """A thread that ships, forces to the disk, and adopts the spools of the dead.

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
        self._open = warehouse
        self._settings = settings
        self._instruments = instruments
        self._warehouse: Warehouse | None = None
        self._orphans: list[Orphan] = []
        self._shipped: dict[Path, int] = {}
        self._stop = threading.Event()
        self._deadline = float("inf")
        self._wait = FIRST_WAIT
        self._own = 0
        self._ahead = time.time()
        self._adopted = self._synced = -float("inf")
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        """Begin."""
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
                self._sync()
                self._adopt()
                while self._ship() and not self._stop.is_set():
                    self._sync()
                pause = self._settings.ship_seconds
                self._wait = FIRST_WAIT
            except Exception as error:  # whatever fails, the next try may not
                log.warning("interactions wait in the spool: %s: %s", type(error).__name__, error)
                pause, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
            self._measure()
            self._pause(pause)
        self._drain()

    def _pause(self, seconds: float) -> None:
        """Wait, but go on forcing to the disk meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.wait(
            min(left, self._settings.fsync_seconds)
        ):
            with contextlib.suppress(OSError):  # tried again in the next round, which says why
                self._sync()

    def _drain(self) -> None:
        """The last round: nothing is appended any more."""
        try:
            self._spool.close()
            while time.monotonic() < self._deadline and self._ship():
                pass
        except Exception as error:  # it stays in the spool
            log.warning("left in the spool for the next start: %s: %s", type(error).__name__, error)
        self._measure()

    def _sync(self) -> None:
        now = time.monotonic()
        if now - self._synced >= self._settings.fsync_seconds:
            self._synced = now
            self._spool.sync()

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
                self._store(self._batch(owner, segment, start))
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

    @staticmethod
    def _batch(owner: Spool | Orphan, segment: Segment, start: int) -> Batch:
        with segment.path.open("rb") as file:
            file.seek(start)
            data = file.read(segment.size - start)
        items: list[Item] = []
        end = damaged = 0
        for found in segments.records(data):
            try:
                if found.payload is None:
                    raise ValueError("damaged")
                collection, document = decoded(found.payload)
                complete(collection, document)
                items.append(Item(found.payload, collection, document))
            except ValueError:
                damaged += 1
            end = found.end
            if len(items) >= BATCH or end >= BATCH_BYTES:
                break
        return Batch(owner, segment, items, start + end, damaged)

    def _store(self, batch: Batch) -> None:
        if self._warehouse is None:
            self._warehouse = self._open()
        refused = self._applied(self._warehouse, batch.items)
        # Only now: had the transaction failed, the same records would come again.
        self._shipped[batch.segment.path] = batch.end
        self._own += len(batch.items) + batch.damaged if batch.owner is self._spool else 0
        self._instruments.add(SPOOLED, len(batch.items) - refused, "stored")
        if batch.damaged:
            self._instruments.add(SPOOLED, batch.damaged, "damaged")
            log.error("%d damaged places in %s are skipped", batch.damaged, batch.segment.path.name)

    def _applied(self, warehouse: Warehouse, items: Sequence[Item]) -> int:
        """Store records, later ones over earlier ones of the same id; how many the warehouse refuses."""
        if not items:
            return 0
        changes: dict[str, dict[str, Document]] = {}
        for one in items:
            changes.setdefault(one.collection, {})[one.document["_id"]] = one.document
        if said := changes.get(FEEDBACK):
            changes[FEEDBACK] = {key: one for key, one in said.items() if not _outdated(warehouse, one)}
        try:
            warehouse.apply({name: (found.values(), ()) for name, found in changes.items()})
        except UNSTORABLE as error:
            if len(items) == 1:
                self._refuse(items[0], error)
                return 1
            half = len(items) // 2
            return self._applied(warehouse, items[:half]) + self._applied(warehouse, items[half:])
        self._ahead = max((_seconds(one) for one in items), default=self._ahead)
        return 0

    def _refuse(self, one: Item, error: Exception) -> None:
        """Set a record aside that stands in the way of all others."""
        with (self._spool.root / REFUSED).open("ab") as file:
            file.write(segments.packed(one.payload))
            file.flush()
            os.fsync(file.fileno())
        self._instruments.add(SPOOLED, 1, "refused")
        # The message may quote the document, and prompts do not go into logs.
        why = type(error).__name__
        log.error("the warehouse cannot hold %s: %s; it is kept in %s", one.document["_id"], why, REFUSED)

    def _measure(self) -> None:
        waiting = sum(segment.size - self._shipped.get(segment.path, 0) for _, segment in self._segments())
        self._instruments.set(SPOOL_RECORDS, self._spool.appended - self._own)
        now = time.time()
        if not waiting:
            self._ahead = now
        self._instruments.set(SPOOL_LAG, max(0.0, now - self._ahead))


def _outdated(warehouse: Warehouse, said: Document) -> bool:
    """Whether later feedback of the same caller came by another server already."""
    found = warehouse.get(FEEDBACK, said["_id"])
    return found is not None and str(found["body"]["at"]) > str(said["body"]["at"])


def _seconds(one: Item) -> float:
    """Unix time of a record."""
    try:
        return datetime.fromisoformat(one.document["body"]["at"]).astimezone(UTC).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()
