"""All that decides over the requests of one twin: its open releases, attempts, queue and shadow."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion
from components.serving.exchange import Exchange, Observer, current
from components.serving.limits.errors import BusyError
from components.serving.limits.queue import Queue
from components.serving.traffic.attempts import Attempts, Choice
from components.serving.traffic.fleet import Fleet, R
from components.serving.traffic.fronts import Reporter
from components.serving.traffic.shadow import Shadow
from components.serving.traffic.standby import Standby
from components.shared.config.base import Kind
from components.shared.config.serving import Serving
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.traffic import LIMITED, QUEUE_DEPTH, QUEUE_SECONDS


@dataclass(frozen=True)
class Manager(Generic[R]):
    """What a front of a twin asks.

    Attributes:
        twin: Name of the twin.
        fleet: Its open releases.
        attempts: Who answers.
        queue: Whose turn it is.
        shadow: Copies for the record.
        standby: What is opened beforehand.
        reporter: Tells the warehouse what is open here.
        warehouse: Where the traffic document lies.
        instruments: Where waiting is counted.
    """

    twin: str
    fleet: Fleet[R]
    attempts: Attempts[R]
    queue: Queue
    shadow: Shadow[R]
    standby: Standby
    reporter: Reporter
    warehouse: Warehouse
    instruments: Instruments

    async def admit(self) -> Choice[R]:
        """Wait for the running request's turn, and choose the release that answers it.

        Raises:
            BusyError: The queue is full, or the turn did not come in time.
            ForbiddenError: The caller's key is for other twins.
            MissingError: The server is ending.
        """
        exchange = self._addressed()
        with self._counted():
            leave = await self.queue.enter()
        exchange.at_end(leave)
        return self.attempts.choose()

    def require_room(self) -> None:
        """Refuse the running request now if its turn cannot come: before its body is read and understood.

        Raises:
            BusyError: The queue is full.
            ForbiddenError: The caller's key is for other twins.
        """
        self._addressed()
        with self._counted():
            self.queue.require_room()

    def _addressed(self) -> Exchange:
        """The running request, which asks this twin and may."""
        exchange = current()
        exchange.twin = self.twin
        exchange.require_twin(self.twin)
        return exchange

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a refusal of the queue."""
        try:
            yield
        except BusyError:
            self.instruments.add(LIMITED, 1, self.twin, "queue")
            raise

    def look(self) -> None:
        """Follow the traffic document. Called again and again; two reads of small documents by their keys."""
        found = champion.traffic(self.warehouse, self.twin)
        if found is not None:
            self.fleet.see(found, self.standby.wanted(found))
        self.reporter.beat()

    def close(self) -> None:
        """Close every release."""
        self.fleet.close()
        self.reporter.gone()


def manager(
    warehouse: Warehouse,
    twin: str,
    kind: Kind,
    open_release: Callable[[str], R],
    serving: Serving,
    observers: Sequence[Observer],
    instruments: Instruments,
) -> Manager[R]:
    """The manager of a twin; no release is open yet.

    Args:
        warehouse: Where the traffic document lies.
        twin: Name of the twin.
        kind: Its kind.
        open_release: Opens a release by its id; may block for long.
        serving: Settings.
        observers: Told of the shadow's answers.
        instruments: Where everything is counted.
    """
    reporter = Reporter(warehouse, twin, kind, instruments)
    standby = Standby(warehouse, twin, serving.fleet)
    fleet = Fleet(open_release, serving.fleet, reporter.changed, room=standby.room)
    limits = serving.limits.llm if kind == "llm" else serving.limits.classic
    queue = Queue(
        limits,
        lambda depth: instruments.set(QUEUE_DEPTH, depth, twin),
        waited=lambda seconds: instruments.observe(QUEUE_SECONDS, seconds, twin),
    )
    instruments.set(QUEUE_DEPTH, 0, twin)
    attempts = Attempts(twin, fleet, serving.breaker, instruments)
    shadow = Shadow(twin, fleet, observers, instruments, serving.fleet.shadow_waiting)
    return Manager(twin, fleet, attempts, queue, shadow, standby, reporter, warehouse, instruments)
