"""Progress of long work, as lines that a person can read and `twin run` can follow."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Start of a line on standard output that carries an event for whoever runs the stage.
MARK = "::twin::"

#: Seconds between two lines of the same work.
INTERVAL = 1.0


def emit(event: str, **fields: object) -> None:
    """Write one event line."""
    sys.stdout.write(f"{MARK}{json.dumps({'event': event, **fields}, ensure_ascii=False)}\n")
    sys.stdout.flush()


@dataclass
class Progress:
    """Reports `done of total` of one stage, at most once a second and at the end."""

    stage: str
    twin: str
    sink: Callable[..., None] = emit
    _last: float = field(default=0.0, repr=False)

    def step(self, what: str, done: int, total: int) -> None:
        """Report that `done` of `total` units of `what` are through."""
        now = time.monotonic()
        if done < total and now - self._last < INTERVAL:
            return
        self._last = now
        self.sink("progress", stage=self.stage, twin=self.twin, what=what, done=done, total=total)

    def note(self, text: str) -> None:
        """Report something worth a line."""
        self.sink("note", stage=self.stage, twin=self.twin, text=text)
