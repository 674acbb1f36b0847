"""What stands before every route: request id, key, size, deadline, metrics, log, and every error's end."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import Any

from components.serving import exchange as exchanges
from components.serving import problems
from components.serving.exchange import Exchange, Observer
from components.serving.limits.access import Access
from components.serving.limits.errors import DeadlineError, late
from components.serving.paths import CLOSED, QUIET, asked, route_of
from components.shared.errors import MissingError, NotFoundError, TooLargeError, TwinError
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import NONE
from components.shared.metrics.requests import IN_FLIGHT, REQUEST_SECONDS, REQUESTS
from components.shared.metrics.traffic import LIMITED

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

access = logging.getLogger("twinstack.access")

#: A caller's own request id is kept if it looks like one.
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: How many times the limit is still read and thrown away, so that a client gets to see the 413.
DRAIN = 16

#: Seconds before the deadline at which a stream ends, so that it can still say why.
SAYING = 0.1


class Guard:
    """Pure ASGI: costs a few microseconds a request.

    Args:
        app: What it guards.
        instruments: Where requests are counted.
        access: Lets callers in.
        max_body_bytes: Larger bodies are refused with 413.
        deadline: Seconds after which a request is given up.
        observers: Told of every request to a twin.
        rooms: By name of a twin, what refuses a request whose turn there cannot come.
        ending: Whether the server has been asked to end; it is not ready then.
    """

    def __init__(
        self,
        app: App,
        instruments: Instruments,
        access: Access,
        max_body_bytes: int,
        deadline: float,
        observers: Sequence[Observer],
        rooms: Mapping[str, Callable[[], None]],
        ending: Callable[[], bool],
    ) -> None:
        self._app = app
        self._ending = ending
        self._instruments = instruments
        self._access = access
        self._limit = max_body_bytes
        self._deadline = deadline
        self._observers = observers
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other ASGI events pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        own = headers.get(exchanges.REQUEST_ID.encode(), b"").decode("latin-1")
        exchange = Exchange(request_id=own) if SAFE_ID.fullmatch(own) else Exchange()
        exchanges.begin(exchange)
        answer = _Answer(send, exchange, self._observers)
        exchange.observe = answer.observed
        exchange.count = partial(self._count, exchange)
        exchange.route = route = route_of(scope["path"])
        self._instruments.add(IN_FLIGHT, 1, route)
        timer = asyncio.timeout(self._deadline)
        try:
            if route not in QUIET:
                self._access.admit(exchange, headers)
                # Whom to refuse is known by now. Under a flood, refusing late is what slows the others down.
                if room := self._rooms.get(asked(scope["path"])):
                    room()
            async with timer:
                exchange.deadline = asyncio.get_running_loop().time() + self._deadline - SAYING
                await self._pass(scope, headers, receive, answer)
        except Exception as error:  # the last place where an error can become an answer
            # What could not be kept comes back through layers that make another error of it.
            found = late() if timer.expired() else problems.translate(answer.failed or error)
            self._count(exchange, found)
            if answer.begun:
                # The answer has begun: all that is left is to break it off.
                raise found from None
            await self._refuse(found, scope, receive, answer)
        finally:
            self._instruments.add(IN_FLIGHT, -1, route)
            try:
                answer.observed()
            finally:
                exchange.end()
                self._record(scope, route, exchange, answer)

    async def _pass(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer"
    ) -> None:
        if scope["path"].endswith("/ready") and self._ending():
            raise MissingError("the server is ending", remedy="ask another one")
        if scope["path"].startswith(CLOSED):
            raise NotFoundError("no such path", param="path", remedy="see /openapi.json")
        if scope["method"] in ("POST", "PUT", "PATCH"):
            receive = await self._read(headers, receive)
        await self._app(scope, receive, answer)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """Read the body up to the limit and give it to the app in one piece.

        Raises:
            TooLargeError: It is larger.
        """
        declared = headers.get(b"content-length", b"0")
        size, parts, more = 0, [], True
        wanted = int(declared) if declared.isdigit() else 0
        while more and size <= self._limit * DRAIN:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            part = message.get("body", b"")
            size += len(part)
            more = message.get("more_body", False)
            if max(size, wanted) <= self._limit:
                parts.append(part)
        if max(size, wanted) > self._limit:
            raise TooLargeError(
                f"the body has {max(size, wanted)} bytes, more than {self._limit}",
                param="body",
                remedy="send less, or raise serving.max_body_bytes",
            )
        whole: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

        async def replay() -> Message:
            nonlocal whole
            if whole is not None:
                given, whole = whole, None
                return given
            return await receive()

        return replay

    def _count(self, exchange: Exchange, error: TwinError) -> None:
        for kind, limit in ((DeadlineError, "deadline"), (TooLargeError, "size")):
            if isinstance(error, kind):
                self._instruments.add(LIMITED, 1, exchange.twin, limit)

    async def _refuse(self, error: TwinError, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        await problems.answer(error)(scope, receive, answer)

    def _record(self, scope: Scope, route: str, exchange: Exchange, answer: "_Answer") -> None:
        seconds = time.perf_counter() - exchange.started
        code = str(answer.ended)
        self._instruments.add(REQUESTS, 1, exchange.twin, exchange.release, exchange.role, route, code)
        self._instruments.observe(REQUEST_SECONDS, seconds, exchange.twin, exchange.role, route)
        if route not in QUIET:
            access.info(
                "%s %s %s %.1fms twin=%s release=%s role=%s id=%s",
                scope["method"], ascii(scope["path"][:100]), code, seconds * 1000,
                exchange.twin, exchange.release, exchange.role, exchange.request_id,
            )  # fmt: skip


class _Answer:
    """`send`, with our headers on the way out, the status remembered, and observers told before the end.

    The head of an answer goes out with the first piece of its body: an answer in one piece that cannot be
    kept becomes an error instead of breaking off.
    """

    def __init__(self, send: Send, exchange: Exchange, observers: Sequence[Observer]) -> None:
        self._send = send
        self._exchange = exchange
        self._observers = observers
        self._head: Message | None = None
        self.status = 0
        self.begun = False
        self.failed: Exception | None = None

    @property
    def ended(self) -> int:
        """How the answer ended: its status, unless it broke off after that was out."""
        return self._exchange.broken or self.status or exchanges.LEFT

    def observed(self) -> None:
        """Tell the observers, once."""
        told, self._observers = self._observers, ()
        if self._exchange.twin == NONE:
            return
        for observer in told:
            try:
                observer(self._exchange, self.ended, time.perf_counter() - self._exchange.started)
            except Exception as error:
                self.failed = error
                raise

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (exchanges.REQUEST_ID.encode(), self._exchange.request_id.encode()),
                (exchanges.RELEASE.encode(), self._exchange.release.encode()),
            ]
            if self._exchange.release != NONE and self.status < problems.REFUSED:
                message["headers"] += [
                    (exchanges.ROLE.encode(), self._exchange.role.encode()),
                    (exchanges.ANSWERED_BY.encode(), self._exchange.answered.encode()),
                ]
            self._head = message
            return
        if not message.get("more_body", False):
            self.observed()
        if self._head is not None:
            head, self._head, self.begun = self._head, None, True
            await self._send(head)
        await self._send(message)
