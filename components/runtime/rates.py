"""Limits of one API key: requests a minute, requests at a time, tokens a day. They belong to one thread."""

import time
from collections.abc import Callable, Iterator

from components.shared.errors import RequestError, TooLargeError
from components.shared.identity import Key

MINUTE, DAY = 60.0, 86_400.0

#: Seconds after which a caller may try again where requests of its own have to end first.
SOON = 1.0

#: Seconds' worth of requests that may come at once.
BURST = 10.0


class RateError(RequestError):
    """A limit of the API key is reached.

    Args:
        limit: Which one, in the words of the metric.
        retry_after: Seconds after which another try can succeed.
    """

    http_status = 429
    kind = "rate_limit_error"

    def __init__(self, what: str, *, limit: str, retry_after: float, remedy: str = "") -> None:
        self.limit = limit
        self.retry_after = retry_after
        again = f"try again in {max(1, round(retry_after))} s"
        super().__init__(what, param="authorization", remedy=remedy or again)


class Bucket:
    """A token bucket: requests a minute, of which ten seconds' worth may come at once.

    Args:
        per_minute: Requests.
        clock: Monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._rate = per_minute / MINUTE
        self._most = max(1.0, self._rate * BURST)
        self._left = self._most
        self._clock = clock
        self._seen = clock()

    def take(self) -> float:
        """0 where the request may pass, otherwise the seconds until one may."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0


class Allowance:
    """What an API key has left.

    Args:
        key: Its limits.
        clock: Monotonic seconds.
        wall: Seconds since 1970, which say when a day of UTC ends.
    """

    def __init__(
        self,
        key: Key,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._limit(key)
        self._running = 0
        self._day = 0
        #: Tokens of today's ended requests, and those set aside for running ones.
        self._spent = 0
        self._reserved = 0

    def _limit(self, key: Key) -> None:
        self.key = key
        rate = key.requests_per_minute
        self._bucket = Bucket(rate, self._clock) if rate else None

    def change(self, key: Key) -> None:
        """Go by other limits of the same key; what is open and spent still counts."""
        if key.requests_per_minute == self.key.requests_per_minute:
            self.key = key
        else:
            self._limit(key)

    @property
    def spent(self) -> float:
        """Share of today's tokens that are spent or set aside; 0 where they are not limited.

        It changes nothing, so that any thread may ask.
        """
        today = self._day == self._wall() // DAY
        most = self.key.tokens_per_day
        return (self._spent + self._reserved) / most if most and today else 0.0

    def enter(self) -> None:
        """Count a request in. `leave` follows.

        Raises:
            RateError: There are too many of a minute or at a time, or no token is left.
        """
        key = self.key
        if key.concurrency and self._running >= key.concurrency:
            raise RateError(
                f"key '{key.id}' has {self._running} requests open already",
                limit="concurrency",
                retry_after=SOON,
            )
        self._require(1)
        if self._bucket and (wait := self._bucket.take()):
            raise RateError(
                f"key '{key.id}' may send {key.requests_per_minute} requests a minute",
                limit="rate",
                retry_after=wait,
            )
        self._running += 1

    def leave(self) -> None:
        """A request has ended."""
        self._running -= 1

    def reserve(self, tokens: int) -> Callable[[int], None]:
        """Set tokens aside for a request; what is returned is told at the end how many it used.

        Raises:
            RateError: Fewer are left today.
            TooLargeError: A whole day has fewer.
        """
        self._require(tokens)
        self._reserved += tokens
        day = self._day

        def settle(used: int) -> None:
            self._turn()
            if day == self._day:  # after midnight the reservation is of a day that no longer counts
                self._reserved -= tokens
            self._spent += used

        return settle

    def _require(self, tokens: int) -> None:
        self._turn()
        most = self.key.tokens_per_day
        if most is None or (taken := self._spent + self._reserved) + tokens <= most:
            return
        if tokens > most:
            raise TooLargeError(
                f"the request needs up to {tokens} tokens, key '{self.key.id}' has {most} a day",
                param="max_tokens",
                remedy="ask for fewer tokens",
            )
        # What running requests have set aside mostly comes back when they end.
        today = self._spent + tokens <= most
        raise RateError(
            f"key '{self.key.id}' has {max(0, most - taken)} of {most} tokens left today, "
            f"the request needs up to {tokens}",
            limit="tokens",
            retry_after=SOON if today else DAY - self._wall() % DAY,
            remedy="ask for fewer tokens, or come back "
            + ("when your running requests have ended" if today else "after midnight UTC"),
        )

    def _turn(self) -> None:
        day = int(self._wall() // DAY)
        if day != self._day:
            self._day, self._spent, self._reserved = day, 0, 0


class Allowances:
    """What every key has left, by its id.

    Args:
        wall: Seconds since 1970, which say when a day of UTC ends.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._known: dict[str, Allowance] = {}

    def __iter__(self) -> Iterator[Allowance]:
        """Those of every key that has called."""
        return iter(list(self._known.values()))

    def of(self, key: Key) -> Allowance:
        """That of a key, by the limits that its entry has now."""
        found = self._known.setdefault(key.id, Allowance(key, wall=self._wall))
        if found.key != key:
            found.change(key)
        return found
