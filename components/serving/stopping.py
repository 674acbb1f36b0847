"""Ending on SIGTERM or Ctrl-C, at whatever moment it comes."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

log = logging.getLogger("twinstack.serving")


class Stopped(BaseException):
    """Somebody asked the process to end."""


class Stopping:
    """Takes the signals of one process from its first line to its last.

    While models load, a signal raises `Stopped` wherever the process is. Once the event loop runs, nothing
    may be raised any more: asyncio and destructors swallow what a signal handler raises, and the request to
    end would be lost. From there on a signal lets the server end in order, and a second one at once.

    Args:
        drain: Seconds that a running server goes on taking requests after it was asked to end, so that load
            balancers see that it is not ready and stop sending.

    Attributes:
        asked: Whether somebody asked; looked at before anything long begins.
    """

    def __init__(self, drain: float = 0.0) -> None:
        self.asked = False
        self._drain = drain
        self._raises = True
        self._server: Any = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM; put back what was there in the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._take) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def loaded(self) -> None:
        """From here on an event loop runs and signals are only noted.

        Raises:
            Stopped: Somebody has asked already.
        """
        self._raises = False
        if self.asked:
            raise Stopped

    def serves(self, server: Any) -> None:
        """Signals end this `uvicorn.Server` from here on, which would take them itself otherwise."""
        server.capture_signals = contextlib.nullcontext
        self._server = server
        server.should_exit = self.asked

    def _end(self) -> None:
        self._server.should_exit = True

    def _take(self, number: int, _: object) -> None:
        again, self.asked = self.asked, True
        if self._server is not None:
            self._server.force_exit = again
            if again or not self._drain:
                self._end()
            else:
                timer = threading.Timer(self._drain, self._end)
                timer.daemon = True
                timer.start()
        elif self._raises:
            raise Stopped
