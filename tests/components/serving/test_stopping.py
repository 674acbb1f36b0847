"""Signals at every moment of a server's life."""

import asyncio
import contextlib
import signal

import pytest
import uvicorn

from components.serving.stopping import Stopped, Stopping


async def nothing(scope: object, receive: object, send: object) -> None:
    """An app that is never asked."""


def server() -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(nothing, port=0, lifespan="off", log_level="error"))


async def started(made: uvicorn.Server) -> "asyncio.Task[None]":
    """The task that serves, once the server has started."""
    serving = asyncio.create_task(made.serve())
    async with asyncio.timeout(30):
        while not made.started:
            await asyncio.sleep(0.01)
    return serving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_loading_is_broken_off(number: int) -> None:
    stopping = Stopping()
    with pytest.raises(Stopped), stopping.taken():
        signal.raise_signal(number)
    assert stopping.asked


def test_a_signal_that_was_swallowed_while_loading_still_counts() -> None:
    stopping = Stopping()
    with stopping.taken():
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            stopping.loaded()


def test_nothing_is_raised_into_the_event_loop_and_the_server_never_begins() -> None:
    """The moment between the loop's start and the server's: a callback's exception would be swallowed."""
    stopping, made = Stopping(), server()

    async def life() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stopping.asked
        stopping.serves(made)
        await made.serve()

    with stopping.taken():
        stopping.loaded()
        asyncio.run(asyncio.wait_for(life(), timeout=30))
    assert made.should_exit


def test_a_running_server_ends_in_order_and_at_once_when_asked_again() -> None:
    stopping, made = Stopping(), server()

    async def life() -> None:
        stopping.serves(made)
        serving = await started(made)
        signal.raise_signal(signal.SIGTERM)
        assert (made.should_exit, made.force_exit) == (True, False)
        signal.raise_signal(signal.SIGTERM)
        assert made.force_exit
        await asyncio.wait_for(serving, timeout=30)

    with stopping.taken():
        stopping.loaded()
        asyncio.run(life())


def test_a_draining_server_goes_on_for_a_while_and_ends_at_once_when_asked_again() -> None:
    stopping, made = Stopping(drain=0.2), server()
    impatient = Stopping(drain=600)

    async def life() -> None:
        stopping.serves(made)
        serving = await started(made)
        signal.raise_signal(signal.SIGTERM)
        assert stopping.asked
        assert not made.should_exit
        await asyncio.wait_for(serving, timeout=30)
        assert not made.force_exit

    with stopping.taken():
        stopping.loaded()
        asyncio.run(life())

    again = server()
    impatient.serves(again)
    with impatient.taken():
        impatient.loaded()
        signal.raise_signal(signal.SIGTERM)
        assert not again.should_exit
        signal.raise_signal(signal.SIGTERM)
        assert again.should_exit


def test_what_took_the_signals_before_takes_them_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stopping().taken():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
