"""One request's attempts at an answer: the chosen release, once more within the budget, then the fallback."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from components.serving.exchange import Exchange, current
from components.serving.traffic.breaker import Breaker, State
from components.serving.traffic.fleet import Fleet, R
from components.serving.traffic.retries import RetryBudget
from components.serving.traffic.routing import belongs
from components.shared.config.access import Breaker as Settings
from components.shared.errors import TwinError
from components.shared.generation import PredictorError, PredictorLateError
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import NONE
from components.shared.metrics.requests import FALLBACKS
from components.shared.metrics.traffic import BREAKER, RETRIES
from components.shared.releases import BUILT_IN, NOTHING, Traffic

log = logging.getLogger("twinstack.serving")

T = TypeVar("T")

#: Statuses from here on are not the caller's doing.
SERVER_SIDE = 500


@dataclass(frozen=True)
class Choice(Generic[R]):
    """The release that a request belongs to, taken until its exchange ends."""

    opened: R
    role: str


class Attempts(Generic[R]):
    """Decides who answers the requests of one twin. It belongs to one event loop.

    Args:
        twin: Its name.
        fleet: Its open releases.
        settings: When a release is left alone.
        instruments: Where fallbacks, retries and breakers are counted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        twin: str,
        fleet: Fleet[R],
        settings: Settings,
        instruments: Instruments,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._twin = twin
        self._fleet = fleet
        self._settings = settings
        self._instruments = instruments
        self._clock = clock
        self._budget = RetryBudget(settings.retries)
        self._breakers: dict[str, Breaker] = {}

    def choose(self) -> Choice[R]:
        """The release that the running exchange belongs to: the champion, or the canary by its sticky key.

        Raises:
            MissingError: The server is ending.
        """
        exchange = current()
        key, role = sticky(exchange), "champion"

        def pick(now: Traffic) -> str:
            nonlocal role
            if now.canary and belongs(now.canary.release, now.canary.share, key):
                role = "canary"
                return now.canary.release
            return now.champion

        opened = self._take(exchange, pick)
        exchange.answered_by(self._twin, opened.release.id, role)
        return Choice(opened, role)

    async def run(
        self,
        choice: Choice[R],
        call: Callable[[R], Awaitable[T]],
        built_in: tuple[str, Callable[[R], Awaitable[T]]],
    ) -> T:
        """The answer of the chosen release; of the champion where the canary gives none; of the fallback.

        Args:
            choice: From `choose`.
            call: Lets a release answer, or begin to.
            built_in: What answers without the model, and how.

        Raises:
            TwinError: What `call` raises where the request itself is wrong, or where there is no fallback.
        """
        self._budget.deposit()
        found = await self._tried(choice.opened, call)
        exchange, opened = current(), choice.opened
        if isinstance(found, Failure) and choice.role == "canary":
            exchange.failed[opened.release.id] = found.reason
            opened = self._instead(exchange, opened, lambda now: now.champion, "champion")
            found = await self._tried(opened, call)
        if not isinstance(found, Failure):
            return found
        exchange.failed[opened.release.id] = found.reason
        fallback = self._fleet.active.fallback
        if fallback == NOTHING:
            raise found.as_error()
        if fallback == BUILT_IN:
            self._marked(exchange, opened, built_in[0])
            return await built_in[1](opened)
        opened = self._instead(exchange, opened, _of_fallback, "release")
        return await call(opened)

    def _instead(self, exchange: Exchange, failed: R, pick: Callable[[Traffic], str], answered: str) -> R:
        """Another release, taken, with the exchange marked."""
        self._marked(exchange, failed, answered)
        opened = self._take(exchange, pick)
        exchange.release = opened.release.id
        return opened

    def _marked(self, exchange: Exchange, failed: R, answered: str) -> None:
        log.warning("release %s gave no answer; instead of it: %s", failed.release.id, answered)
        self._instruments.add(FALLBACKS, 1, self._twin, failed.release.id)
        exchange.role, exchange.answered = "fallback", answered

    def late(self, release: str) -> None:
        """An answer broke off after it had begun: nothing can be repeated, but it counts as a failure."""
        self._breaker(release).note(failed=True, seconds=0.0)

    async def _tried(self, opened: R, call: Callable[[R], Awaitable[T]]) -> "T | Failure":
        """An answer of one release, in one or two tries, or why there is none."""
        release = opened.release.id
        breaker = self._breaker(release)
        for again in (True, False):
            if not breaker.allows():
                return Failure(None)
            start = self._clock()
            try:
                async with asyncio.timeout(self._settings.give_up_seconds):
                    answer = await call(opened)
            except Exception as error:
                if isinstance(error, TwinError) and error.http_status < SERVER_SIDE:
                    breaker.forget()
                    raise
                breaker.note(failed=True, seconds=self._clock() - start)
                log.warning("release %s failed: %s", release, type(error).__name__)
                if again and _failed_fast(error) and self._budget.take():
                    self._instruments.add(RETRIES, 1, self._twin, release)
                    continue
                return Failure(error)
            except BaseException:
                # The caller left, or the server ends: that says something only about a release that was slow.
                if (seconds := self._clock() - start) >= self._settings.slow_seconds:
                    breaker.note(failed=False, seconds=seconds)
                else:
                    breaker.forget()
                raise
            breaker.note(failed=False, seconds=self._clock() - start)
            return answer
        raise AssertionError("the second try returns")

    def _take(self, exchange: Exchange, pick: Callable[[Traffic], str]) -> R:
        opened, give_back = self._fleet.take(pick)
        exchange.at_end(give_back)
        return opened

    def _breaker(self, release: str) -> Breaker:
        found = self._breakers.get(release)
        if found is None:
            found = self._breakers[release] = Breaker(
                self._settings, self._clock, lambda state: self._turned(release, state)
            )
            self._instruments.set(BREAKER, found.state, self._twin, release)
        return found

    def _turned(self, release: str, state: State) -> None:
        log.warning("circuit of release %s: %s", release, state.name.lower().replace("_", " "))
        self._instruments.set(BREAKER, state, self._twin, release)


@dataclass(frozen=True)
class Failure:
    """That a release gave no answer, and why; no error where its circuit is open."""

    error: Exception | None

    @property
    def reason(self) -> str:
        """Why, in words that hold nothing of the request."""
        if self.error is None:
            return "its circuit is open"
        if isinstance(self.error, TimeoutError | PredictorLateError):
            return "no answer in time"
        return f"failed: {type(self.error).__name__}"

    def as_error(self) -> TwinError:
        """What a caller is told who gets no fallback."""
        if isinstance(self.error, TwinError):
            return self.error
        if isinstance(self.error, TimeoutError):
            return PredictorLateError("the model gave no answer in time", remedy="try again later")
        return PredictorError("the model gave no answer", remedy="try again later")


def _failed_fast(error: Exception) -> bool:
    """Whether a second try can help; who was late once has used up the caller's patience."""
    return isinstance(error, PredictorError) and not isinstance(error, PredictorLateError)


def _of_fallback(now: Traffic) -> str:
    return now.champion if now.fallback in (BUILT_IN, NOTHING) else now.fallback


def sticky(exchange: Exchange) -> str:
    """What keeps a caller at one release: its own word, its key, or else nothing but this request."""
    if exchange.sticky:
        return exchange.sticky
    return exchange.key if exchange.key != NONE else exchange.id
