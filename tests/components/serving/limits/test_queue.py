"""The bounded queue: order, bounds, and that no place is ever lost."""

import asyncio
import random
from collections.abc import Callable

import pytest

from components.serving.limits.errors import BusyError
from components.serving.limits.queue import Queue
from components.shared.config.access import Queue as Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_come_first_served() -> None:
    depths: list[int] = []
    queue = Queue(Settings(running=1, waiting=3), depths.append)
    leave = await queue.enter()
    order: list[int] = []

    async def one(number: int) -> None:
        mine = await queue.enter()
        order.append(number)
        mine()

    tasks = [asyncio.create_task(one(number)) for number in range(3)]
    await settle()
    assert order == []
    leave()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2]
    assert depths == [1, 2, 3, 2, 1, 0]


async def test_one_more_than_may_wait_is_told_when_to_come_back() -> None:
    now = [0.0]
    queue = Queue(Settings(running=1, waiting=1), clock=lambda: now[0])
    leave = await queue.enter()
    now[0] = 200.0
    leave()  # a usual request takes long here
    leave = await queue.enter()
    waiting = asyncio.create_task(queue.enter())
    await settle()
    with pytest.raises(BusyError, match="no room: 1 running, 1 waiting") as caught:
        await queue.enter()
    assert caught.value.http_status == 503
    assert caught.value.retry_after == pytest.approx(40.0)
    leave()
    (await waiting)()


async def test_there_is_room_while_one_more_could_run_or_wait() -> None:
    queue = Queue(Settings(running=1, waiting=1))
    queue.require_room()
    queue.require_room()  # asking takes no place
    leave = await queue.enter()
    queue.require_room()
    waiting = asyncio.create_task(queue.enter())
    await settle()
    with pytest.raises(BusyError, match="no room: 1 running, 1 waiting") as caught:
        queue.require_room()
    assert (caught.value.http_status, caught.value.retry_after) == (503, 1)
    leave()
    await settle()
    queue.require_room()
    (await waiting)()


async def test_who_waits_too_long_is_told() -> None:
    queue = Queue(Settings(running=1, waiting=1, wait_seconds=0.01))
    leave = await queue.enter()
    with pytest.raises(BusyError, match=r"waited 0\.01 s"):
        await queue.enter()
    leave()
    (await queue.enter())()


async def test_who_leaves_while_waiting_takes_no_place() -> None:
    queue = Queue(Settings(running=1, waiting=2))
    leave = await queue.enter()
    gone, stays = asyncio.create_task(queue.enter()), asyncio.create_task(queue.enter())
    await settle()
    gone.cancel()
    leave()
    (await stays)()
    (await queue.enter())()


async def test_who_is_cancelled_in_the_moment_of_its_turn_passes_it_on() -> None:
    queue = Queue(Settings(running=1, waiting=2))
    leave = await queue.enter()
    gone, stays = asyncio.create_task(queue.enter()), asyncio.create_task(queue.enter())
    await settle()
    leave()  # gives the turn to the first, which has not run yet
    gone.cancel()
    (await asyncio.wait_for(stays, 5))()
    (await asyncio.wait_for(queue.enter(), 5))()


async def test_no_place_is_lost_whatever_happens() -> None:
    settings = Settings(running=3, waiting=5, wait_seconds=0.005)
    queue, chance, most = Queue(settings), random.Random(0), 0
    inside = 0

    async def one(seconds: float) -> None:
        nonlocal inside, most
        leave: Callable[[], None] = await queue.enter()
        inside += 1
        most = max(most, inside)
        try:
            await asyncio.sleep(seconds)
        finally:
            inside -= 1
            leave()

    tasks = []
    for _ in range(300):
        tasks.append(asyncio.create_task(one(chance.random() / 50)))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        await asyncio.sleep(chance.random() / 2000)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert any(isinstance(each, BusyError) for each in done)
    assert most == settings.running
    leaves = [await asyncio.wait_for(queue.enter(), 5) for _ in range(settings.running)]
    for leave in leaves:
        leave()
