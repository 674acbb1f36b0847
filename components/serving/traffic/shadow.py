"""A share of the requests is answered by another release as well, for the record only."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from components.serving import exchange as exchanges
from components.serving.exchange import Exchange, Observer
from components.serving.traffic.fleet import Fleet, R
from components.serving.traffic.routing import fraction
from components.shared.errors import MissingError, TwinError
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import NONE
from components.shared.metrics.traffic import SHADOWS
from components.shared.releases import Traffic

log = logging.getLogger("twinstack.serving")

OK, FAILED = 200, 500


@dataclass(frozen=True)
class Job(Generic[R]):
    """A request for the shadow."""

    original: Exchange
    call: Callable[[R], Awaitable[object]]


class Shadow(Generic[R]):
    """Answers copies of requests, one at a time, from a bounded queue. It belongs to one event loop.

    The caller's answer never waits for it: a copy is queued or dropped, and runs on its own.

    Args:
        twin: Its name.
        fleet: Its open releases.
        observers: Told of every answer, as of one in the role `shadow` that is paired with the original.
        instruments: Where copies are counted.
        waiting: Copies that may wait.
    """

    def __init__(
        self,
        twin: str,
        fleet: Fleet[R],
        observers: Sequence[Observer],
        instruments: Instruments,
        waiting: int,
    ) -> None:
        self._twin = twin
        self._fleet = fleet
        self._observers = observers
        self._instruments = instruments
        self._most = waiting
        self._queue: asyncio.Queue[Job[R]] | None = None
        self._runner: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Copies that wait."""
        return self._queue.qsize() if self._queue else 0

    def offer(self, call: Callable[[R], Awaitable[object]]) -> None:
        """Copy the running request, if it belongs to the shadow's share. Costs microseconds.

        Args:
            call: Lets a release answer, completely.
        """
        part = self._fleet.active.shadow
        original = exchanges.current()
        if part is None or fraction(part.release, original.id) >= part.share:
            return
        if self._queue is None:
            self._queue = asyncio.Queue(self._most)
            self._runner = asyncio.get_running_loop().create_task(self._run(self._queue))
        try:
            self._queue.put_nowait(Job(original, call))
        except asyncio.QueueFull:
            self._count(part.release, "dropped")

    async def _run(self, queue: "asyncio.Queue[Job[R]]") -> None:
        while True:
            job = await queue.get()
            await self._answered(job)

    async def _answered(self, job: Job[R]) -> None:
        """Answer a copy and tell the observers."""
        original = job.original
        mine = Exchange(
            request_id=original.request_id,
            twin=self._twin,
            role="shadow",
            route=original.route,
            key=original.key,
            paired=original.id,
        )
        exchanges.begin(mine)
        status = OK
        try:
            opened, give_back = self._fleet.take(_shadow)
            mine.at_end(give_back)
            mine.release = opened.release.id
            await job.call(opened)
        except Exception as error:
            status = error.http_status if isinstance(error, TwinError) else FAILED
            log.warning("shadow of twin '%s' failed: %s", self._twin, type(error).__name__)
        finally:
            mine.end()
        if mine.release == NONE:
            return
        self._count(mine.release, "answered" if status < FAILED else "failed")
        for observer in self._observers:
            try:
                observer(mine, status, time.perf_counter() - mine.started)
            except Exception as error:  # nobody was answered; the next copy gets its turn
                log.error("a copy for the shadow of twin '%s' is lost: %s", self._twin, type(error).__name__)

    def _count(self, release: str, what: str) -> None:
        self._instruments.add(SHADOWS, 1, self._twin, release, what)


def _shadow(now: Traffic) -> str:
    if now.shadow is None:
        raise MissingError("the shadow has ended in the meantime")
    return now.shadow.release
