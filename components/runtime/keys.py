"""The API keys of a server, read again when their file changes, and when a server may do without any."""

import ipaddress
import logging

from components.shared.config import Config
from components.shared.errors import ConfigError, TwinError
from components.shared.identity import Keyring, read_keys

log = logging.getLogger("twinstack.keys")


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
