"""What the running fronts have open, as they tell it themselves: `twin traffic` shows it."""

import time
from collections.abc import Callable, Iterator

from pydantic import Field

from components.adapters.warehouse import Warehouse
from components.shared.stored import Stored

#: Warehouse collection.
FRONTS = "fronts"

#: Seconds after which a front that said nothing counts as gone, and seconds between two words of one that
#: has nothing new.
GONE, BEAT = 60.0, 15.0


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


def running(warehouse: Warehouse, twin: str, clock: Callable[[], float] = time.time) -> Iterator[Front]:
    """The fronts of a twin that have spoken lately."""
    for found in warehouse.scan(FRONTS, twin=twin):
        front = Front.model_validate(found["body"])
        if clock() - front.at < GONE:
            yield front
