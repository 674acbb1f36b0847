"""One request and its answer: who it is for, which release answered, and its measurements."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from components.shared.metrics import NONE, STAGE_SECONDS, Instruments

#: Headers of every answer.
REQUEST_ID = "x-request-id"
RELEASE = "x-twinstack-release"


@dataclass
class Exchange:
    """What the guard, the routes and the models of one request share.

    Attributes:
        request_id: Goes back in a header and in errors, and into the log.
        twin: Name of the twin once it is known to exist.
        release: Id of the release that answers.
        role: Its role in the traffic.
        started: Monotonic seconds.
    """

    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    twin: str = NONE
    release: str = NONE
    role: str = NONE
    started: float = field(default_factory=time.perf_counter)

    def answered_by(self, twin: str, release: str, role: str = "champion") -> None:
        """Note who answers."""
        self.twin, self.release, self.role = twin, release, role


_CURRENT: ContextVar[Exchange] = ContextVar("exchange")


def begin(exchange: Exchange) -> None:
    """Make an exchange that of the running task and all it starts."""
    _CURRENT.set(exchange)


def current() -> Exchange:
    """The exchange of the running task; outside of a request a new one."""
    found = _CURRENT.get(None)
    return found if found is not None else Exchange()


@contextlib.contextmanager
def measured(instruments: Instruments, twin: str, stage: str) -> Iterator[None]:
    """Measure a stage of answering."""
    start = time.perf_counter()
    try:
        yield
    finally:
        instruments.observe(STAGE_SECONDS, time.perf_counter() - start, twin, stage)
