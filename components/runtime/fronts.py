"""What the running fronts have open, as they tell it themselves: `twin traffic` shows it."""

import time
from collections.abc import Callable, Iterator

from pydantic import Field

from components.adapters.warehouse.contract import Warehouse
from components.shared.releases import Traffic
from components.shared.stored import Stored

#: Warehouse collection.
FRONTS = "fronts"

#: Seconds after which a front that said nothing counts as gone, and seconds between two words of one that
#: has nothing new.
GONE, BEAT = 60.0, 15.0

#: Seconds in which fronts have followed a change, and seconds between two looks.
FOLLOWED, LOOK = 10.0, 0.1


class Front(Stored):
    """One server process and what it has made of a twin's traffic.

    Attributes:
        id: Host and process, and the twin.
        twin: Name of the twin.
        at: Seconds since 1970.
        revision: Of the traffic that it has seen.
        champion: Release that answers there.
        open: Releases that are open.
        opening: Releases that are being opened.
        failed: Releases that could not be opened, with the reason.
    """

    id: str
    twin: str
    at: float
    revision: int
    champion: str
    open: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)


def tell(warehouse: Warehouse, front: Front) -> None:
    """Store what a front says of itself."""
    body = {"_id": front.id, "twin": front.twin, "body": front.model_dump(mode="json")}
    warehouse.apply({FRONTS: ([body], ())})


def forget(warehouse: Warehouse, name: str) -> None:
    """Remove a front that ends."""
    warehouse.apply({FRONTS: ((), [name])})


def followed(
    warehouse: Warehouse, now: Traffic, *, most: float = FOLLOWED, clock: Callable[[], float] = time.monotonic
) -> bool:
    """Whether every running front of a twin acts on a traffic by now; they are given a little time for it.

    Args:
        warehouse: Where they tell it.
        now: The traffic.
        most: Longest wait in seconds.
        clock: Monotonic seconds.
    """

    def behind(front: Front) -> bool:
        """One that has seen the traffic goes on as before until the new champion is open."""
        return front.revision < now.revision or front.champion != now.champion

    begun = clock()
    while any(behind(one) for one in running(warehouse, now.twin)):
        if clock() - begun >= most:
            return False
        time.sleep(LOOK)
    return True


def running(warehouse: Warehouse, twin: str, clock: Callable[[], float] = time.time) -> Iterator[Front]:
    """The fronts of a twin that have spoken lately."""
    for found in warehouse.scan(FRONTS, twin=twin):
        front = Front.model_validate(found["body"])
        if clock() - front.at < GONE:
            yield front
