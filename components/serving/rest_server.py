"""KServe's REST server on our address, with our guard and our errors instead of its own.

Importing it imports KServe, which takes this process's arguments for its own: see `rest.quiet_arguments`.
"""

import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kserve.errors import InvalidInput
from kserve.protocol.rest import server
from kserve.protocol.rest.server import RESTServer

from components.serving import grpc_front, openapi, problems, scrape
from components.serving.exchange import Observer
from components.serving.guard import App, Guard
from components.serving.limits.access import Access
from components.serving.stopping import Stopping
from components.shared.config.serving import Serving
from components.shared.metrics.instruments import Instruments

log = logging.getLogger("twinstack.serving")

server.metrics_handler = scrape.handler


@dataclass(frozen=True)
class Surroundings:
    """What a server stands in.

    Attributes:
        bound: The socket to serve on.
        instruments: Where requests are counted.
        access: Lets callers in.
        limits: Sizes, deadline, the port of gRPC.
        observers: Told of every request to a twin.
        rooms: By name of a twin, what refuses a request whose turn there cannot come.
        stopping: Ends the server.
    """

    bound: socket.socket
    instruments: Instruments
    access: Access
    limits: Serving
    observers: Sequence[Observer]
    rooms: Mapping[str, Callable[[], None]]
    stopping: Stopping

    def guarded(self, app: App) -> Guard:
        """An app behind the guard."""
        return Guard(
            app,
            self.instruments,
            self.access,
            self.limits.max_body_bytes,
            self.limits.deadline_seconds,
            self.observers,
            self.rooms,
            lambda: self.stopping.asked,
        )


class TwinRestServer(RESTServer):  # type: ignore[misc]
    """KServe's endpoints without its timing middleware, which costs a third of its throughput."""

    def __init__(self, around: Surroundings, app: str, data_plane: Any, *more: Any, **others: Any) -> None:
        super().__init__(app, data_plane, *more, **others)
        self._around = around
        data_plane.decode_inference_request = _safely(data_plane.decode_inference_request)
        self._plane = data_plane

    def _add_middlewares(self, app: Any) -> None:
        app.add_middleware(self._around.guarded)

    def _add_exception_handlers(self, app: Any) -> None:
        problems.register(app)
        openapi.declare(app)

    async def start(self) -> None:
        """Serve until the process is told to stop."""
        self.create_application()
        # The guard writes the access log.
        quiet = logging.getLogger("uvicorn.access")
        quiet.handlers, quiet.propagate = [], False
        around = self._around
        around.stopping.serves(self._server)
        host, port = around.bound.getsockname()[:2]
        log.info("serving on http://%s:%s", f"[{host}]" if ":" in host else host, port)
        async with grpc_front.listening(self._plane, host, around.limits, around.guarded):
            await self._server.serve(sockets=[around.bound])


def _safely(decode: Callable[..., Any]) -> Callable[..., Any]:
    """Decode a V2 request; KServe parses binary tensors without checks."""

    def decode_safely(*words: Any) -> Any:
        try:
            return decode(*words)
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput("no V2 request") from error

    return decode_safely
