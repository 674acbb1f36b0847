"""A small load generator on bare sockets, so that on two cores it takes little from what it measures."""

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np


@dataclass
class Outcome:
    """What came back.

    Attributes:
        statuses: How many answers of each status; 0 where the connection broke.
        seconds: Time of each answer of status 200, from the moment it was due.
        ids: Request ids of these answers.
        lasted: Seconds that the whole took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    lasted: float = 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds below which a share of the good answers came."""
        return float(np.percentile(self.seconds, share)) * 1000 if self.seconds else float("nan")

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.lasted if self.lasted else 0.0


class Caller:
    """One connection after the other to one path with one body."""

    def __init__(self, url: str, path: str, body: Any) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/json\r\n"
        self._request = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call(self, outcome: Outcome, due: float) -> None:
        """Send one request and note what comes."""
        try:
            reader, writer = self._free.pop() if self._free else await self._connect()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            status = int(head[9:12])
        except (OSError, asyncio.IncompleteReadError, StopIteration):
            outcome.statuses[0] += 1
            return
        if b"connection: close" in lines:
            writer.close()
        else:
            self._free.append((reader, writer))
        outcome.statuses[status] += 1
        if status == 200:
            outcome.seconds.append(time.perf_counter() - due)
            outcome.ids += [line[14:].decode() for line in lines if line.startswith(b"x-request-id: ")]

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, limit=2**24)

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._free:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def closed(url: str, path: str, body: Any, *, callers: int, count: int) -> Outcome:
    """So many callers, each asking again as soon as it is answered, until `count` answers came."""

    async def run() -> Outcome:
        outcome, caller, left = Outcome(), Caller(url, path, body), count
        begun = time.perf_counter()

        async def one() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await caller.call(outcome, time.perf_counter())

        await asyncio.gather(*(one() for _ in range(callers)))
        outcome.lasted = time.perf_counter() - begun
        await caller.close()
        return outcome

    return asyncio.run(run())


def opened(url: str, path: str, body: Any, *, rate: float, seconds: float) -> Outcome:
    """Requests at a fixed rate, whether or not the ones before were answered."""

    async def run() -> Outcome:
        outcome, caller = Outcome(), Caller(url, path, body)
        tasks: set[asyncio.Task[None]] = set()
        begun = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(caller.call(outcome, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        outcome.lasted = time.perf_counter() - begun
        await caller.close()
        return outcome

    return asyncio.run(run())
