"""What open releases have in common: opened for the first of them, closed after the last."""

import ctypes
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Held:
    """A thing, how many use it, and the lock under which it is opened."""

    close: Callable[[Any], None]
    users: int = 0
    opening: threading.Lock = field(default_factory=threading.Lock)
    thing: Any = None
    is_open: bool = False


class Shared:
    """Lends things by a key that says all that they are made of. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Hashable, _Held] = {}

    def lend(
        self, key: Hashable, open_: Callable[[], T], close: Callable[[T], None]
    ) -> tuple[T, Callable[[], None]]:
        """A thing and what gives it back, to be called once.

        Args:
            key: Things of the same key are the same.
            open_: Makes it, where nobody has it; may block for long.
            close: Frees it, once nobody has it any more.

        Raises:
            Exception: What `open_` raises.
        """
        with self._lock:
            held = self._held.setdefault(key, _Held(close))
            held.users += 1
        try:
            with held.opening:
                if not held.is_open:
                    held.thing = open_()
                    held.is_open = True
        except BaseException:
            self._give_back(key, held)
            raise
        return held.thing, lambda: self._give_back(key, held)

    def _give_back(self, key: Hashable, held: _Held) -> None:
        with self._lock:
            held.users -= 1
            if held.users:
                return
            del self._held[key]
        if held.is_open:
            thing, held.thing = held.thing, None
            held.close(thing)


class Loans:
    """What one release has borrowed; all of it is given back together.

    Args:
        shared: Lends.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._back: list[Callable[[], None]] = []

    def take(self, key: Hashable, open_: Callable[[], T], close: Callable[[T], None]) -> T:
        """Borrow a thing; see `Shared.lend`."""
        thing, give_back = self._shared.lend(key, open_, close)
        self._back.append(give_back)
        return thing

    def end(self) -> None:
        """Give everything back, the last thing first."""
        while self._back:
            self._back.pop()()
        trim()


def trim() -> None:
    """Give freed memory back to the system: glibc keeps the heap that a model's smaller tensors lay in."""
    give = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give is not None:
        give(0)
