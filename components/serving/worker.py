"""One thread of a release that blocks, and what becomes of requests when it does not come back."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from components.shared.generation import PredictorLateError

log = logging.getLogger("twinstack.serving")

T = TypeVar("T")

#: Seconds of one call from which on the thread counts as stuck. Calls take milliseconds; only an encoder that
#: reads long pages beside a busy model takes some seconds.
PATIENCE = 20.0


class Worker:
    """One thread, so that what it calls sees one caller and the event loop stays free.

    A thread cannot be ended from outside. So where a call hangs, those that wait behind it fail, and every
    further one fails at once, until the thread comes back: the circuit opens, and nobody waits for nothing.

    Args:
        name: Name of the thread, for whoever looks at the process.
        patience: Seconds of one call from which on it counts as stuck.
    """

    def __init__(self, name: str, patience: float = PATIENCE) -> None:
        self._name = name
        self._patience = patience
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._since: float | None = None
        self._told = False

    @property
    def stuck(self) -> bool:
        """Whether a call has been running for too long."""
        since = self._since
        return since is not None and time.monotonic() - since > self._patience

    def now(self, function: Callable[[], T]) -> T:
        """The result of a call; blocks."""
        return self._pool.submit(function).result()

    async def run(self, function: Callable[..., T], *words: Any) -> T:
        """The result of a call that knows the running exchange.

        Raises:
            PredictorLateError: The thread is stuck, at this call or at one before it.
            Exception: What the call raises.
        """
        self._require()
        call = asyncio.get_running_loop().run_in_executor(
            self._pool, self._timed, copy_context().run, function, *words
        )
        try:
            while not (await asyncio.wait((call,), timeout=self._patience))[0]:
                self._require()
        finally:
            call.cancel()  # one that waits for its turn is not begun any more
        result: T = call.result()
        return result

    def close(self, *, wait: bool) -> None:
        """Take no more calls; wait for the running one unless it is stuck."""
        self._pool.shutdown(wait=wait and not self.stuck, cancel_futures=True)

    def _timed(self, function: Callable[..., T], *words: Any) -> T:
        self._since = time.monotonic()
        try:
            return function(*words)
        finally:
            self._since, self._told = None, False

    def _require(self) -> None:
        if not self.stuck:
            return
        if not self._told:
            self._told = True
            log.error("%s hangs; it is not asked until it comes back", self._name)
        raise PredictorLateError("a part of the release does not come back", remedy="try again later")
