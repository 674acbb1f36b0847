"""How much a key may ask of the operations API: the limits of its entry, or those of the configuration."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from components.runtime.rates import Allowances, RateError
from components.shared.config.console import Console
from components.shared.identity import Key
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.operations import CONSOLE_LIMITED

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Who calls where no keys are configured; such a console listens on loopback only and limits nobody.
LOCAL = Key(id="local", hash="sha256:" + "0" * 64, roles=("admin",))


class Limits:
    """Pure ASGI, so that a request counts as open until the last byte of its answer has gone.

    Args:
        app: What comes after; the key of the request is in the scope's state already.
        settings: Limits of keys whose entries name none.
        instruments: Where refusals are counted.
    """

    def __init__(self, app: App, settings: Console, instruments: Instruments) -> None:
        self._app = app
        self._settings = settings
        self._instruments = instruments
        self._allowances = Allowances()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or not.

        Raises:
            RateError: Its key has reached a limit.
        """
        key: Key | None = scope.get("state", {}).get("key")
        if key is None or key is LOCAL:
            await self._app(scope, receive, send)
            return
        allowance = self._allowances.of(self._limited(key))
        try:
            allowance.enter()
        except RateError as error:
            self._instruments.add(CONSOLE_LIMITED, 1, error.limit)
            raise
        try:
            await self._app(scope, receive, send)
        finally:
            allowance.leave()

    def _limited(self, key: Key) -> Key:
        """The key with limits; tokens are none of this API's."""
        return key.model_copy(
            update={
                "requests_per_minute": key.requests_per_minute or self._settings.requests_per_minute,
                "concurrency": key.concurrency or self._settings.concurrency,
                "tokens_per_day": None,
            }
        )
