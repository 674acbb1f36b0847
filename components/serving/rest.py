"""The address to listen on, and importing KServe without its arguments."""

import contextlib
import socket
import sys
from collections.abc import Iterator

from components.shared.errors import TwinError


class PortError(TwinError):
    """The address to listen on cannot be had."""

    exit_code = 7


@contextlib.contextmanager
def quiet_arguments() -> Iterator[None]:
    """KServe parses this process's arguments when it is imported, and takes `--config` for one of its own."""
    words = sys.argv
    sys.argv = words[:1]
    try:
        yield
    finally:
        sys.argv = words


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, before any model is loaded; port 0 takes a free one.

    Raises:
        PortError: The port is in use, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. Without, an answer of two packets waits 40 ms for the caller's acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        bound.bind((host, port))
        # Held from here on: a second server fails at its start, not after it has loaded its models.
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise PortError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            where="serving",
            remedy=f"stop what uses it, or choose another port: twin serve --port {port % 65535 + 1}",
        ) from error
    return bound
