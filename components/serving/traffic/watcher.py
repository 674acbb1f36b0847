"""A thread that follows the traffic documents, so that a change takes effect without a restart."""

import logging
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger("twinstack.serving")


class Watcher:
    """Calls some looks, again and again. One that fails is told of once, until it works again.

    Args:
        looks: What to call, by a name for the log.
        seconds: Between two rounds.
    """

    def __init__(self, looks: Mapping[str, Callable[[], None]], seconds: float) -> None:
        self._looks = dict(looks)
        self._seconds = seconds
        self._failing: set[str] = set()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the running round is over."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self) -> None:
        """Call every look once."""
        for name, look in self._looks.items():
            try:
                look()
            except Exception as error:  # the store may be away for a while; what was last read holds
                if name not in self._failing:
                    log.error("%s cannot be read, what was last read holds: %s", name, error)
                self._failing.add(name)
            else:
                if name in self._failing:
                    log.info("%s can be read again", name)
                self._failing.discard(name)

    def _run(self) -> None:
        while not self._ends.wait(self._seconds):
            self.round()
