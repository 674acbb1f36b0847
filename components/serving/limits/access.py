"""Who may pass: the key of a request, its role, and what it has left."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from components.runtime.keys import Keys
from components.runtime.rates import DAY, Allowance, Allowances, RateError
from components.serving.exchange import STICKY, Exchange
from components.shared.errors import TwinError
from components.shared.identity import AuthenticationError, ForbiddenError, presented
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import NONE
from components.shared.metrics.traffic import BUDGET_REFUSED, LIMITED, TOKEN_BUDGET

log = logging.getLogger("twinstack.serving")

#: Longest sticky key that is looked at; characters.
MAX_STICKY = 200


def count_refusal(instruments: Instruments, error: RateError, key: str, twin: str = NONE) -> None:
    """Count a request that a limit of its key refused.

    Args:
        instruments: Where.
        error: The limit.
        key: Id of the key.
        twin: Name of the twin, where it is known already.
    """
    instruments.add(LIMITED, 1, twin, error.limit)
    if error.limit == "tokens":
        instruments.add(BUDGET_REFUSED, 1, key)


class Storage(Protocol):
    """What keeps the answers."""

    def admits(self) -> bool:
        """Whether it can keep one more."""

    def refusal(self) -> TwinError:
        """What a request is told otherwise."""


class Access:
    """Lets requests in by their keys. Without any key, everybody may pass.

    Args:
        keys: Who may call.
        instruments: Where refusals are counted.
        storage: What keeps the answers; None where nothing is kept.
        wall: Seconds since 1970, which say when a day of UTC ends.
    """

    def __init__(
        self,
        keys: Keys,
        instruments: Instruments,
        storage: Storage | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._instruments = instruments
        self._storage = storage
        self._allowances = Allowances(wall)
        self._wall = wall
        self._seen = (wall() // DAY, keys.ring)
        self._budgets: set[str] = set()

    def admit(self, exchange: Exchange, headers: Mapping[bytes, bytes]) -> None:
        """Let a request in, and note whose it is. What it holds is given back when its exchange ends.

        Args:
            exchange: The request.
            headers: Names in small letters, as ASGI has them.

        Raises:
            AuthenticationError: There is no key, or nobody has it.
            ForbiddenError: The key may not ask twins.
            RateError: The key has reached a limit.
            TwinError: What would be answered cannot be kept.
        """
        if sticky := headers.get(STICKY.encode()):
            exchange.sticky = sticky[:MAX_STICKY].decode("latin-1")
        self._identify(exchange, headers)
        if self._storage is not None and not self._storage.admits():
            self._instruments.add(LIMITED, 1, NONE, "storage")
            raise self._storage.refusal()

    def look(self) -> None:
        """Show what silent keys have left, once a day of UTC has begun or the keys have changed.

        Called again and again, on a thread of its own.
        """
        seen = (self._wall() // DAY, self._keys.ring)
        if seen != self._seen:
            self._seen = seen
            for known in self._allowances:
                self._show(known)

    def _identify(self, exchange: Exchange, headers: Mapping[bytes, bytes]) -> None:
        ring = self._keys.ring
        if not ring:
            return
        try:
            key = ring.identify(presented(headers))
            exchange.key = key.id
            key.require("caller", "ask twins")
            allowance = self._allowances.of(key)
            allowance.enter()
        except (AuthenticationError, ForbiddenError):
            self._instruments.add(LIMITED, 1, NONE, "key")
            raise
        except RateError as error:
            count_refusal(self._instruments, error, exchange.key)
            raise
        exchange.allowance = allowance
        exchange.at_end(allowance.leave)
        exchange.at_end(lambda: self._show(allowance))

    def _show(self, allowance: Allowance) -> None:
        """Show the spent share of a budget; 0 where there was one, and it or its key has been taken away."""
        key = allowance.key
        limited = bool(key.tokens_per_day) and key.id in self._keys.ring.ids
        if limited:
            self._budgets.add(key.id)
        if key.id in self._budgets:
            self._instruments.set(TOKEN_BUDGET, allowance.spent if limited else 0.0, key.id)
