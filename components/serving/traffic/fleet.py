"""The open releases of one twin: opened beside the ones that answer, swapped at once, closed when unused."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from components.serving.traffic.report import Report
from components.shared.config.access import Fleet as Settings
from components.shared.errors import MissingError, TwinError
from components.shared.releases import BUILT_IN, Release, Traffic

log = logging.getLogger("twinstack.serving")


class Opened(Protocol):
    """A release that can answer."""

    @property
    def release(self) -> Release:
        """What it is."""

    def close(self) -> None:
        """Free what it holds; may block."""


R = TypeVar("R", bound=Opened)


@dataclass(eq=False)
class Slot(Generic[R]):
    """An open release and how many requests are using it."""

    opened: R
    users: int = 0


class Fleet(Generic[R]):
    """Holds releases of one twin open. `take` may be called from any thread and never waits for a release.

    A traffic whose champion is not open yet leaves the one before it in place, until the new one is open. A
    canary, shadow or fallback that is not open is left out until it is. What may be wanted next, the standby,
    is opened when nothing of the traffic is left to open.

    Args:
        open_release: Opens a release by its id; may block for long.
        settings: How many are kept, and when failures are tried again.
        changed: Told whenever the report would be another one; called on any thread.
        clock: Monotonic seconds.
        room: Whether there is memory to open a release beforehand.
    """

    def __init__(
        self,
        open_release: Callable[[str], R],
        settings: Settings,
        changed: Callable[[Report], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        room: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._open_release = open_release
        self._settings = settings
        self._changed = changed
        self._room = room
        self._clock = clock
        self._lock = threading.RLock()
        self._slots: dict[str, Slot[R]] = {}
        #: Out of the traffic, but still used by requests.
        self._leaving: list[Slot[R]] = []
        self._opening: set[str] = set()
        self._failed: dict[str, tuple[str, float]] = {}
        self._wanted: Traffic | None = None
        self._standby: tuple[str, ...] = ()
        self._active: Traffic | None = None
        self._closed = False
        # One thread: releases are opened one after the other, for each may take much of the machine.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fleet")

    def start(self, traffic: Traffic) -> None:
        """Open the champion and wait for it; the rest of the traffic follows in the background.

        Raises:
            TwinError: The champion cannot be opened.
        """
        opened = self._open_release(traffic.champion)
        with self._lock:
            self._slots[traffic.champion] = Slot(opened)
        self.see(traffic)

    @property
    def active(self) -> Traffic:
        """The traffic that holds; every release in it is open."""
        if self._active is None:
            raise MissingError("no release is open yet", remedy="try again in a moment")
        return self._active

    @property
    def champion(self) -> R:
        """The champion, for questions about it; requests `take` it."""
        with self._lock:
            return self._slots[self.active.champion].opened

    def see(self, traffic: Traffic, standby: Sequence[str] = ()) -> None:
        """Follow a traffic: what is open takes effect now, what is not begins to open. Never waits.

        Args:
            traffic: Which releases are to answer.
            standby: Releases to open beforehand, the most wanted first.
        """
        with self._lock:
            if self._closed:
                return
            self._wanted, self._standby = traffic, tuple(standby)
            for one in traffic.answering:
                self._begin(one)
            self._settle()

    def take(self, choose: Callable[[Traffic], str]) -> tuple[R, Callable[[], None]]:
        """A release of the active traffic and what ends its use; until then it stays open.

        Args:
            choose: Names one of the releases that answer in a traffic.

        Raises:
            MissingError: The server is ending.
        """
        with self._lock:
            release = choose(self.active)
            slot = self._slots.get(release)
            if slot is None or self._closed:
                raise MissingError("the server is ending", remedy="try again in a moment")
            slot.users += 1
        return slot.opened, lambda: self._give_back(slot)

    def report(self) -> Report:
        """What has become of the traffic."""
        with self._lock:
            wanted = self._wanted or self.active
            return Report(
                revision=wanted.revision,
                active=self.active,
                open=tuple(self._slots),
                opening=tuple(sorted(self._opening)),
                failed={
                    one: what
                    for one, (what, _) in self._failed.items()
                    if one in wanted.answering or one in self._standby
                },
                standby=self._standby,
            )

    def close(self) -> None:
        """Close every release; waits for one that is being opened."""
        with self._lock:
            self._closed = True
        self._worker.shutdown(wait=True, cancel_futures=True)
        for slot in (*self._slots.values(), *self._leaving):
            self._close(slot)
        self._slots.clear()
        self._leaving.clear()

    def _begin(self, release: str) -> None:
        if release in self._slots or release in self._opening:
            return
        _, at = self._failed.get(release, ("", float("-inf")))
        if self._clock() - at < self._settings.retry_seconds:
            return
        self._opening.add(release)
        self._worker.submit(self._open, release)

    def _open(self, release: str) -> None:
        start = time.perf_counter()
        try:
            opened = self._open_release(release)
        except Exception as error:  # whatever it is, the releases that answer go on
            what = str(error) if isinstance(error, TwinError) else type(error).__name__
            log.error("release %s cannot be opened, what answered goes on: %s", release, what)
            with self._lock:
                self._opening.discard(release)
                self._failed[release] = (what, self._clock())
                self._settle()
            return
        log.info("release %s is open after %.1f s", release, time.perf_counter() - start)
        with self._lock:
            self._opening.discard(release)
            self._failed.pop(release, None)
            self._slots[release] = Slot(opened)
            self._settle()

    def _settle(self) -> None:
        """Let as much of the wanted traffic hold as is open, and close what nobody needs."""
        wanted = self._wanted
        if wanted is None:
            return
        is_open = self._slots.__contains__
        before = self._active
        champion = wanted.champion if before is None or is_open(wanted.champion) else before.champion
        parts = {
            name: part if part and is_open(part.release) and part.release != champion else None
            for name, part in (("canary", wanted.canary), ("shadow", wanted.shadow))
        }
        named = wanted.fallback in wanted.answering
        fallback = BUILT_IN if named and not is_open(wanted.fallback) else wanted.fallback
        self._active = wanted.model_copy(update={"champion": champion, "fallback": fallback, **parts})
        self._sweep({*self._active.answering, *wanted.named(self._settings.kept), *self._standby})
        self._open_standby()
        self._changed(self.report())

    def _open_standby(self) -> None:
        """Begin with the next release of the standby, unless another one is being opened."""
        for release in self._standby:
            if release not in self._slots and (self._opening or not self._room(release)):
                return
            self._begin(release)

    def _sweep(self, needed: set[str]) -> None:
        for release, slot in list(self._slots.items()):
            if release not in needed:
                self._leaving.append(self._slots.pop(release))
                self._close_unused(slot)

    def _give_back(self, slot: Slot[R]) -> None:
        with self._lock:
            slot.users -= 1
            self._close_unused(slot)

    def _close_unused(self, slot: Slot[R]) -> None:
        if slot.users == 0 and slot in self._leaving and not self._closed:
            self._worker.submit(self._leave, slot)

    def _leave(self, slot: Slot[R]) -> None:
        with self._lock:
            if slot not in self._leaving:
                return
            self._leaving.remove(slot)
        self._close(slot)

    @staticmethod
    def _close(slot: Slot[R]) -> None:
        try:
            slot.opened.close()
            log.info("release %s is closed", slot.opened.release.id)
        except Exception as error:
            log.error("release %s did not close in order: %s", slot.opened.release.id, type(error).__name__)
