"""Which releases a front opens though they do not answer, and whether there is room for them."""

import logging
from collections.abc import Callable

from components.adapters.warehouse.contract import Warehouse
from components.runtime.standby import announced
from components.shared.config.access import Fleet as Settings
from components.shared.memory import available_share
from components.shared.releases import Traffic

log = logging.getLogger("twinstack.serving")


class Standby:
    """What may be wanted next of one twin. It belongs to the thread that follows the traffic.

    Args:
        warehouse: Where releases are announced.
        twin: Name of the twin.
        settings: How many are opened beforehand, and how much memory has to be left for that.
        available: Share of the memory that is available.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        twin: str,
        settings: Settings,
        available: Callable[[], float] = available_share,
    ) -> None:
        self._warehouse = warehouse
        self._twin = twin
        self._settings = settings
        self._available = available
        self._declined = ""

    def wanted(self, traffic: Traffic) -> tuple[str, ...]:
        """Ids of releases that do not answer: where a rollback returns to, then what may follow."""
        if not self._settings.standby:
            return ()
        earlier = traffic.history[: self._settings.kept]
        named = (*earlier[:1], *announced(self._warehouse, self._twin), *earlier[1:])
        found = [one for one in dict.fromkeys(named) if one not in traffic.answering]
        return tuple(found[: self._settings.standby])

    def room(self, release: str) -> bool:
        """Whether there is memory for one more; a release that has to wait for that is logged once."""
        share = self._available()
        if share >= self._settings.standby_free:
            self._declined = ""
            return True
        if release != self._declined:
            log.warning("release %s is not opened beforehand: %.0f %% of memory left", release, 100 * share)
            self._declined = release
        return False
