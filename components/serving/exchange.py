"""One request and its answer: who it is for, which release answered, and its measurements."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from components.shared.errors import TwinError
from components.shared.interactions import new_id
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import NONE
from components.shared.metrics.requests import STAGE_SECONDS

if TYPE_CHECKING:
    from components.runtime.rates import Allowance

#: Headers of every answer.
REQUEST_ID = "x-request-id"
RELEASE = "x-twinstack-release"
ANSWERED_BY = "x-twinstack-answered-by"
ROLE = "x-twinstack-role"

#: Header by which callers choose their own sticky key.
STICKY = "x-twinstack-sticky"

#: nginx's status of an answer to a client that left; nobody reads it, but the log and the metrics do.
LEFT = 499


def _nothing(*_: object) -> None:
    """Tell nobody."""


@dataclass
class Exchange:
    """What the guard, the routes and the models of one request share, and observers read in the end.

    Attributes:
        request_id: Goes back in a header and in errors, and into the log; the caller's own where it gave one.
        id: Ours, unique, sorted by time; what the interaction is stored under.
        twin: Name of the twin once it is known to exist.
        release: Id of the release that answers.
        role: Its role in the traffic.
        route: Name of the route in metrics.
        key: Id of the caller's API key, never the key.
        started: Monotonic seconds.
        timings: Seconds by stage of answering.
        inputs: The checked request: messages, or instances.
        output: The answer: texts, or predictions.
        context: Ids of the chunks in the prompt, best first.
        scores: Retrieval scores of these chunks.
        answered: What made the answer: `model`, or the name of a fallback.
        failed: Releases that were asked before and gave no answer, with the reason.
        finish: Why an LLM's answer ended; empty where it did not.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens generated.
        cost: Money, in the unit of the configuration.
        first_token: Seconds from the start to the first token; 0 where there was none.
        passages: Texts of the chunks in the prompt, as the prompt numbers them; never stored.
        question_embedding: Vector of the question, for drift; never stored.
        question_known: Whether this vector was in the cache; None where nothing was looked for.
        features: Matrix (instances, features) that the model saw, for drift; never stored.
        signals: What the detectors counted.
        observe: Tells the observers now, for an answer that ends before its last byte.
        count: Counts an error of a limit that became an answer before the guard could see it.
        deadline: Time of the event loop at which the answer has to have ended; None where there is none.
        paired: Id of the champion's exchange where this is the shadow's.
        broken: Status of what ended an answer whose own status was out already; 0 where nothing did.
        sticky: What keeps a caller at one release of the traffic; the request id where nothing else does.
        allowance: What the caller's key has left; None where there are no keys.
    """

    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    id: str = field(default_factory=new_id)
    twin: str = NONE
    release: str = NONE
    role: str = NONE
    route: str = NONE
    key: str = NONE
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)
    inputs: Any = None
    output: Any = None
    context: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    answered: str = "model"
    failed: dict[str, str] = field(default_factory=dict)
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    first_token: float = 0.0
    passages: tuple[str, ...] = ()
    question_embedding: Any = None
    question_known: bool | None = None
    features: Any = None
    signals: dict[str, float] = field(default_factory=dict)
    observe: Callable[[], None] = _nothing
    count: Callable[[TwinError], None] = _nothing
    deadline: float | None = None
    paired: str = ""
    broken: int = 0
    sticky: str = ""
    allowance: "Allowance | None" = None
    _ends: list[Callable[[], None]] = field(default_factory=list)

    def stick_to(self, user: str | None) -> None:
        """Keep a caller's user at one release, unless the caller said otherwise by header."""
        self.sticky = self.sticky or user or ""

    def reaches(self, twin: str) -> bool:
        """Whether the caller may know of a twin; everybody may where there are no keys."""
        return self.allowance is None or self.allowance.key.reaches(twin)

    def require_twin(self, twin: str) -> None:
        """Make sure that the caller may ask a twin, whether there is one of the name or not.

        Raises:
            ForbiddenError: The caller's key is for other twins.
        """
        if self.allowance is not None:
            self.allowance.key.require_twin(twin)

    def at_end(self, call: Callable[[], None]) -> None:
        """Call something once the request has ended, however it ends."""
        self._ends.append(call)

    def end(self) -> None:
        """End the request: give back what it holds, the last thing first."""
        while self._ends:
            self._ends.pop()()

    def answered_by(self, twin: str, release: str, role: str = "champion") -> None:
        """Note who answers."""
        self.twin, self.release, self.role = twin, release, role


class Observer(Protocol):
    """Told of every request to a twin before the last byte of its answer goes out. Must cost microseconds."""

    def __call__(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Take note of an exchange.

        Args:
            exchange: What is known of it.
            status: HTTP status; 499 where the client left.
            seconds: From the request's first byte until now.
        """


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
        seconds = time.perf_counter() - start
        instruments.observe(STAGE_SECONDS, seconds, twin, stage)
        timings = current().timings
        timings[stage] = timings.get(stage, 0.0) + seconds
