"""A caller that leaves before its answer has begun: while it waits for its turn, context or first word."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from components.serving.exchange import LEFT
from components.shared.errors import RequestError

Gone = Callable[[], Awaitable[bool]]
T = TypeVar("T")

#: Seconds after which it is looked again whether the caller is there.
LOOK_SECONDS = 0.25


class LeftError(RequestError):
    """The client left before its answer began; nobody reads this answer."""

    http_status = LEFT
    kind = "client_left_error"


async def unless_left(work: Coroutine[Any, Any, T], gone: Gone, discard: Callable[[T], Awaitable[None]]) -> T:
    """The result of work that is given up as soon as nobody waits for it.

    Args:
        work: What is waited for; where it is given up, it has ended before this does.
        gone: Whether the client has left.
        discard: Given what was made all the same in the moment it was given up.

    Raises:
        LeftError: The client has left.
        Exception: What the work raises.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait((task,), timeout=LOOK_SECONDS))[0]:
            if await gone():
                raise LeftError("the client has left")
    except BaseException:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and task.exception() is None:
            await discard(task.result())
        raise
    return task.result()
