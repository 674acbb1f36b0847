"""The bounded queue of a twin: so many requests run, so many wait, the next one is told to come back."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from components.serving.limits.errors import BusyError
from components.shared.config.access import Queue as Settings

#: Weight of the newest request in the average time of one.
WEIGHT = 0.1


class Queue:
    """First come, first served. It belongs to one event loop.

    Args:
        settings: How many run and wait.
        depth: Told how many wait, whenever that changes.
        waited: Told the seconds that a request waited for its turn.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        settings: Settings,
        depth: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._depth = depth
        self._waited = waited
        self._clock = clock
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._usual = 0.0

    async def enter(self) -> Callable[[], None]:
        """Wait for one's turn; what is returned has to be called at the end, once.

        Raises:
            BusyError: Too many wait already, or the turn did not come in time.
        """
        asked = self._clock()
        if self._free():
            self._running += 1
        else:
            await self._wait()
        begun = self._clock()
        self._waited(begun - asked)
        return lambda: self._leave(begun)

    def require_room(self) -> None:
        """Make sure that a request could run or wait now; it takes no place.

        Raises:
            BusyError: Too many wait already.
        """
        if not self._free() and len(self._waiting) >= self._settings.waiting:
            raise BusyError(
                f"there is no room: {self._running} running, {len(self._waiting)} waiting",
                retry_after=self._patience(),
            )

    def _free(self) -> bool:
        return self._running < self._settings.running and not self._waiting

    async def _wait(self) -> None:
        self.require_room()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._depth(len(self._waiting))
        try:
            async with asyncio.timeout(self._settings.wait_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # The turn came in the same moment: pass it on.
                self._next()
            elif turn in self._waiting:
                self._waiting.remove(turn)
                self._depth(len(self._waiting))
            if isinstance(error, TimeoutError):
                seconds = self._settings.wait_seconds
                raise BusyError(
                    f"the request waited {seconds:g} s for its turn", retry_after=self._patience()
                ) from None
            raise

    def _leave(self, begun: float) -> None:
        self._usual += WEIGHT * (self._clock() - begun - self._usual)
        self._next()

    def _next(self) -> None:
        """Give a free place to the next that waits; the number of those that run stays the same then."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._depth(len(self._waiting))
                return
        self._running -= 1

    def _patience(self) -> float:
        """Seconds that the queue takes to empty at the usual pace."""
        return max(1.0, self._usual * (len(self._waiting) + 1) / self._settings.running)
