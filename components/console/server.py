"""Serves the operations API until SIGTERM or Ctrl-C."""

import logging
from pathlib import Path

from components.runtime.keys import Keys, require_safe
from components.runtime.logs import to_stderr
from components.shared.config import Config

log = logging.getLogger("twinstack.console")


def serve(config: Config, file: Path, host: str | None = None, port: int | None = None) -> None:
    """Answer on the configured address.

    Args:
        config: The configuration.
        file: Where it was read from; runs read it again.
        host: Address to listen on; None takes `console.host`.
        port: Port to listen on; None takes `console.port`.

    Raises:
        ConfigError: It could be reached from elsewhere and has no API keys.
    """
    import uvicorn

    from components.console.app import made
    from components.console.console import Console

    to_stderr()
    address = config.console.host if host is None else host
    require_safe(address, Keys(config).ring, config)
    number = config.console.port if port is None else port
    app = made(Console(config, file))
    log.info("operations API on http://%s:%s, described at /docs", address, number)
    uvicorn.run(app, host=address, port=number, log_level="warning", access_log=False)
    log.info("stopped")
