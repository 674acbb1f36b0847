"""The shadow: paired with the original, dropped rather than waited for, failing without anybody's notice."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.serving import exchange as exchanges
from components.serving.exchange import Exchange, Observer, current
from components.serving.traffic.shadow import Shadow
from components.shared.errors import NotFoundError
from components.shared.metrics.instruments import Instruments

pytestmark = pytest.mark.anyio


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Exchange, int]] = []

    def __call__(self, exchange: Exchange, status: int, seconds: float) -> None:
        self.told.append((exchange, status))


def shadow(
    held: Any, seen: Seen, registry: CollectorRegistry, waiting: int = 2, before: Observer | None = None
) -> Shadow[Any]:
    held.see("one", shadow={"release": "two", "share": 1.0})
    held.until(lambda: held.fleet.active.shadow is not None, "the shadow")
    observers = [before, seen] if before else [seen]
    return Shadow("t", held.fleet, observers, Instruments(registry), waiting)


def offered(shadow: Shadow[Any], call: Any) -> Exchange:
    exchange = Exchange(twin="t", release="one", role="champion", route="predict_v1", key="me")
    exchanges.begin(exchange)
    shadow.offer(call)
    return exchange


async def settled(seen: Seen, count: int) -> None:
    async with asyncio.timeout(20):
        while len(seen.told) < count:
            await asyncio.sleep(0)


async def test_a_pair_is_told_of(held: Any) -> None:
    seen, registry = Seen(), CollectorRegistry()

    async def call(opened: Any) -> None:
        current().output = f"of {opened.release.id}"

    original = offered(shadow(held, seen, registry), call)
    await settled(seen, 1)
    mine, status = seen.told[0]
    assert (mine.role, mine.paired, mine.release, mine.output) == ("shadow", original.id, "two", "of two")
    assert (mine.key, mine.route, status) == ("me", "predict_v1", 200)
    assert mine.id != original.id
    assert original.output is None
    labels = {"twin": "t", "release": "two", "shadow": "answered"}
    assert registry.get_sample_value("twinstack_shadow_total", labels) == 1


async def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(held: Any) -> None:
    seen, registry, go = Seen(), CollectorRegistry(), asyncio.Event()

    async def call(_: Any) -> None:
        await go.wait()

    mine = shadow(held, seen, registry)
    for _ in range(10):
        offered(mine, call)
    labels = {"twin": "t", "release": "two", "shadow": "dropped"}
    assert registry.get_sample_value("twinstack_shadow_total", labels) == 8
    go.set()
    await settled(seen, 2)


async def test_a_failure_is_recorded_and_the_next_is_answered(held: Any) -> None:
    seen, registry = Seen(), CollectorRegistry()

    async def fails(_: Any) -> None:
        raise RuntimeError("bad weights")

    async def refuses(_: Any) -> None:
        raise NotFoundError("no such id")

    async def works(_: Any) -> None:
        pass

    mine = shadow(held, seen, registry, waiting=5)
    for call in (fails, refuses, works):
        offered(mine, call)
    await settled(seen, 3)
    assert [status for _, status in seen.told] == [500, 404, 200]
    # A refusal is an answer: the release did what it should.
    counted = [
        registry.get_sample_value("twinstack_shadow_total", {"twin": "t", "release": "two", "shadow": how})
        for how in ("failed", "answered")
    ]
    assert counted == [1, 2]


async def test_an_observer_that_fails_ends_neither_the_others_nor_the_shadow(held: Any) -> None:
    seen, registry = Seen(), CollectorRegistry()

    def fails(exchange: Exchange, status: int, seconds: float) -> None:
        raise ZeroDivisionError

    async def call(_: Any) -> None:
        pass

    mine = shadow(held, seen, registry, waiting=5, before=fails)
    for _ in range(3):
        offered(mine, call)
    await settled(seen, 3)


async def test_without_a_shadow_nothing_is_queued(held: Any) -> None:
    seen, registry = Seen(), CollectorRegistry()
    mine = shadow(held, seen, registry)
    held.see("one")

    async def call(_: Any) -> None:
        raise AssertionError

    offered(mine, call)
    assert mine.waiting == 0
    held.until(lambda: held.opener.open() == {"one"}, "the end of the shadow")


async def test_a_share_is_kept(held: Any) -> None:
    seen, registry = Seen(), CollectorRegistry()
    mine = shadow(held, seen, registry, waiting=1000)
    held.see("one", shadow={"release": "two", "share": 0.25})

    async def call(_: Any) -> None:
        pass

    for _ in range(400):
        offered(mine, call)
    while mine.waiting:
        await asyncio.sleep(0)
    assert 50 < len(seen.told) < 150
