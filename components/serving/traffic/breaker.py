"""A circuit breaker: a release that fails or is too slow is left alone for a while, then tried again."""

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

from components.shared.config.access import Breaker as Settings


class State(IntEnum):
    """State of a breaker; the numbers are those of its metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Counts calls of one release. It belongs to one thread, the event loop's.

    Closed, every call is let through; where too many of the last calls failed or were slow, it opens. Open,
    nothing is let through for a time; then it is half open and lets through as many trials as closing takes.
    A bad trial opens it again.

    Args:
        settings: When it opens and closes.
        clock: Monotonic seconds.
        changed: Told of every change of state.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[State], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._changed = changed
        self._calls: deque[tuple[float, bool]] = deque()
        self._bad = 0
        self._opened = 0.0
        self._trials = 0
        self._passed = 0
        self.state = State.CLOSED

    def allows(self) -> bool:
        """Whether a call may be made. Each one that may is followed by `note` or `forget`."""
        if self.state is State.OPEN and self._clock() - self._opened >= self._settings.open_seconds:
            self._trials = self._passed = 0
            self._to(State.HALF_OPEN)
        if self.state is State.HALF_OPEN:
            if self._trials + self._passed >= self._settings.trials:
                return False
            self._trials += 1
            return True
        return self.state is State.CLOSED

    def note(self, *, failed: bool, seconds: float) -> None:
        """Count a call that ended.

        Args:
            failed: Whether it gave no answer.
            seconds: How long it took until it answered, or began to.
        """
        bad = failed or seconds >= self._settings.slow_seconds
        if self.state is State.HALF_OPEN:
            self._trial(bad=bad)
        elif self.state is State.CLOSED:
            self._count(bad=bad)

    def forget(self) -> None:
        """A call ended without saying anything about the release: its caller left, or sent nonsense."""
        if self.state is State.HALF_OPEN:
            self._trials = max(0, self._trials - 1)

    def _trial(self, *, bad: bool) -> None:
        self._trials = max(0, self._trials - 1)
        if bad:
            self._open()
            return
        self._passed += 1
        if self._passed >= self._settings.trials:
            self._calls.clear()
            self._bad = 0
            self._to(State.CLOSED)

    def _count(self, *, bad: bool) -> None:
        now = self._clock()
        self._calls.append((now, bad))
        self._bad += bad
        while self._calls[0][0] <= now - self._settings.window_seconds:
            self._bad -= self._calls.popleft()[1]
        enough = len(self._calls) >= self._settings.calls
        if enough and self._bad >= self._settings.bad_share * len(self._calls):
            self._open()

    def _open(self) -> None:
        self._opened = self._clock()
        self._to(State.OPEN)

    def _to(self, state: State) -> None:
        self.state = state
        self._changed(state)
