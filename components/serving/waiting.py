"""A front that cannot answer yet, for want of a release or while models load: alive, and not ready."""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

from components.shared.errors import MissingError

log = logging.getLogger("twinstack.serving")

Found = TypeVar("Found")

LIVE = "/v2/health/live"

OK, UNAVAILABLE = 200, 503


class _Waiting(BaseHTTPRequestHandler):
    """Alive to the liveness probe, unavailable to everybody else."""

    protocol_version = "HTTP/1.1"
    #: Seconds; a silent connection must not keep its thread.
    timeout = 10

    def do_GET(self) -> None:
        """Answer a probe."""
        if self.path == LIVE:
            self._answer(OK, {"status": "alive"}, {})
        else:
            self.do_POST()

    def do_POST(self) -> None:
        """Say that nothing answers yet."""
        error = MissingError(
            "no release answers yet", remedy="try again; if there is none, run the pipeline end_to_end"
        )
        found = error.answer(self.headers.get("x-request-id", "")[:64])
        self._answer(UNAVAILABLE, found, error.headers())

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_POST  # noqa: N815 - names of http.server

    def _answer(self, status: int, body: object, headers: Mapping[str, str]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.send_header("connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *words: object) -> None:
        """Probes are not worth a line."""


def awaited(look: Callable[[], Found], seconds: float) -> Found:
    """What a look finds, as soon as it finds it.

    Args:
        look: Raises MissingError while there is nothing.
        seconds: Between two looks.
    """
    said = False
    while True:
        try:
            return look()
        except MissingError as error:
            if not said:
                log.warning("%s; waiting for it", error)
            said = True
        time.sleep(seconds)


@contextlib.contextmanager
def alive(bound: socket.socket) -> Iterator[None]:
    """Answer probes on a listening socket; it is open for the real server afterwards."""
    server = ThreadingHTTPServer(bound.getsockname()[:2], _Waiting, bind_and_activate=False)
    server.socket.close()
    server.socket = bound.dup()
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="waiting", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
