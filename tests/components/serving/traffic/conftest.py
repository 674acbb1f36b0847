"""Releases that open at the test's command, and a fleet over them."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from components.serving.traffic.fleet import Fleet
from components.serving.traffic.report import Report
from components.shared.config.access import Fleet as Settings
from components.shared.releases import Release, Traffic
from tests.components.samples import release
from tests.conftest import until


@dataclass
class Opened:
    """An open release, which knows whether it was closed."""

    release: Release
    closed: bool = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


@dataclass
class Opener:
    """Opens releases; slow ones wait for `go`, broken ones fail."""

    slow: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    made: list[Opened] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> Opened:
        self.tried.append(name)
        if name in self.slow:
            assert self.go.wait(30)
        if name in self.broken:
            raise RuntimeError("a file is gone")
        self.made.append(Opened(release(name)))
        return self.made[-1]

    def open(self) -> set[str]:
        return {one.release.id for one in self.made if not one.closed}


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Held:
    """A fleet and what stands around it."""

    fleet: Fleet[Opened]
    opener: Opener
    clock: Clock
    reports: list[Report]

    def see(self, champion: str, **more: object) -> None:
        self.fleet.see(Traffic.model_validate({"twin": "t", "champion": champion, **more}))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        until(condition, 20, what)


@pytest.fixture
def held() -> Iterator[Held]:
    opener, clock, reports = Opener(), Clock(), list[Report]()
    fleet: Fleet[Opened] = Fleet(opener, Settings(kept=0, retry_seconds=30), reports.append, clock)
    fleet.start(Traffic(twin="t", champion="one"))
    yield Held(fleet, opener, clock, reports)
    opener.go.set()
    fleet.close()
    assert opener.open() == set()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
