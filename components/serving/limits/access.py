"""Who may pass: the key of a request, its role, and what it has left."""

import ipaddress
import logging
from collections.abc import Mapping

from components.serving.exchange import Exchange
from components.serving.limits.errors import RateError
from components.serving.limits.rates import Allowance
from components.serving.traffic.routing import STICKY
from components.shared.config import Config
from components.shared.errors import ConfigError, TwinError
from components.shared.identity import AuthenticationError, ForbiddenError, Key, Keyring, presented, read_keys
from components.shared.metrics import LIMITED, NONE, TOKEN_BUDGET, Instruments

log = logging.getLogger("twinstack.serving")

#: Longest sticky key that is looked at; characters.
MAX_STICKY = 200


class Keys:
    """The keys of the configuration, read again when their file changes.

    Args:
        config: Where they lie.

    Raises:
        ConfigError: They cannot be read.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen = self._state()
        self.ring = read_keys(config)

    def refresh(self) -> None:
        """Read the file again if it changed; one that is wrong leaves the keys as they are."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self.ring = read_keys(self._config)
            log.info("read %d API keys", len(self.ring.keys))
        except TwinError as error:
            log.error("the API keys stay as they were: %s", error)

    def _state(self) -> tuple[int, int] | None:
        """When the file was written, and its size; None where there is none."""
        if not self._config.serving.keys.file:
            return None
        try:
            found = self._config.path(self._config.serving.keys.file).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


class Access:
    """Lets requests in by their keys. Without any key, everybody may pass.

    Args:
        keys: Who may call.
        instruments: Where refusals are counted.
    """

    def __init__(self, keys: Keys, instruments: Instruments) -> None:
        self._keys = keys
        self._instruments = instruments
        self._allowances: dict[str, Allowance] = {}

    def admit(self, exchange: Exchange, headers: Mapping[bytes, bytes]) -> None:
        """Let a request in, and note whose it is. What it holds is given back when its exchange ends.

        Args:
            exchange: The request.
            headers: Names in small letters, as ASGI has them.

        Raises:
            AuthenticationError: There is no key, or nobody has it.
            ForbiddenError: The key may not ask twins.
            RateError: The key has reached a limit.
        """
        if sticky := headers.get(STICKY.encode()):
            exchange.sticky = sticky[:MAX_STICKY].decode("latin-1")
        ring = self._keys.ring
        if not ring:
            return
        try:
            key = ring.identify(presented(headers))
            exchange.key = key.id
            key.require("caller", "ask twins")
            allowance = self._allowance(key)
            allowance.enter()
        except (AuthenticationError, ForbiddenError):
            self._instruments.add(LIMITED, 1, NONE, "key")
            raise
        except RateError as error:
            self._instruments.add(LIMITED, 1, NONE, error.limit)
            raise
        exchange.allowance = allowance
        exchange.at_end(allowance.leave)
        if key.tokens_per_day:
            exchange.at_end(lambda: self._instruments.set(TOKEN_BUDGET, allowance.spent, key.id))

    def _allowance(self, key: Key) -> Allowance:
        found = self._allowances.get(key.id)
        if found is None or found.key != key:
            found = self._allowances[key.id] = Allowance(key)
        return found


def require_safe(host: str, ring: Keyring, config: Config) -> None:
    """Make sure that a server without keys cannot be reached from elsewhere.

    Raises:
        ConfigError: It could, and nobody allowed that.
    """
    if ring or config.serving.allow_anonymous or _loopback(host):
        return
    raise ConfigError(
        f"the server would listen on {host} and answer everybody, for it has no API keys",
        where="serving.keys",
        remedy="make one with `twin keys new ID`, or listen on 127.0.0.1, or set serving.allow_anonymous",
    )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
