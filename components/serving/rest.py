"""KServe's REST server on our address, with our guard and our errors instead of its own."""

import contextlib
import logging
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from components.serving.exchange import Observer
from components.serving.limits.access import Access
from components.serving.stopping import Stopping
from components.shared.config.serving import Serving
from components.shared.errors import TwinError
from components.shared.metrics.instruments import Instruments

log = logging.getLogger("twinstack.serving")


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


def server_class(
    bound: socket.socket,
    instruments: Instruments,
    access: Access,
    limits: Serving,
    observers: Sequence[Observer],
    stopping: Stopping,
) -> type[Any]:
    """A class for `kserve.model_server.RESTServer`, which ModelServer offers no other way to choose."""
    with quiet_arguments():
        from kserve.errors import InvalidInput
        from kserve.protocol.rest import server
        from kserve.protocol.rest.server import RESTServer

    from components.serving import grpc_front, openapi, problems, scrape
    from components.serving.guard import Guard

    guarded: dict[str, Any] = {
        "instruments": instruments,
        "access": access,
        "max_body_bytes": limits.max_body_bytes,
        "deadline": limits.deadline_seconds,
        "observers": observers,
        "ending": lambda: stopping.asked,
    }

    server.metrics_handler = scrape.handler

    class TwinRestServer(RESTServer):  # type: ignore[misc]
        """KServe's endpoints without its timing middleware, which costs a third of its throughput."""

        def __init__(self, app: str, data_plane: Any, *more: Any, **others: Any) -> None:
            super().__init__(app, data_plane, *more, **others)
            decode = data_plane.decode_inference_request

            def decode_safely(*words: Any) -> Any:
                try:
                    return decode(*words)
                except InvalidInput:
                    raise
                except Exception as error:  # binary tensors are parsed without checks
                    raise InvalidInput("no V2 request") from error

            data_plane.decode_inference_request = decode_safely
            self._plane = data_plane

        def _add_middlewares(self, app: Any) -> None:
            app.add_middleware(Guard, **guarded)

        def _add_exception_handlers(self, app: Any) -> None:
            problems.register(app)
            openapi.declare(app)

        async def start(self) -> None:
            self.create_application()
            # The guard writes the access log.
            quiet = logging.getLogger("uvicorn.access")
            quiet.handlers, quiet.propagate = [], False
            stopping.serves(self._server)
            host, port = bound.getsockname()[:2]
            log.info("serving on http://%s:%s", f"[{host}]" if ":" in host else host, port)
            async with grpc_front.listening(self._plane, host, limits, lambda app: Guard(app, **guarded)):
                await self._server.serve(sockets=[bound])

    return TwinRestServer
