"""A spool in a folder, a warehouse that can be down, and exchanges."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.serving.exchange import Exchange
from components.serving.recording.recorder import Recorder
from components.serving.recording.shipper import Shipper
from components.serving.recording.spool import Spool
from components.shared.config.interactions import Interactions
from components.shared.metrics.instruments import Instruments


def settings(**over: Any) -> Interactions:
    """Fast, small and without a floor for the free disk."""
    return Interactions(**{"min_free_bytes": 0, "ship_seconds": 0.02, "fsync_seconds": 0.05, **over})


class Sink(SqliteWarehouse):
    """The real warehouse, behind a switch; its documents of some ids are refused as unstorable."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.down = False
        self.calls = 0
        self.hates: tuple[str, ...] = ()

    def apply(self, changes: Any, expected: Any = None) -> None:
        """Store, unless the switch is off."""
        self.calls += 1
        if self.down:
            raise ConnectionError("the warehouse is down")
        kept = {name: ([*upserts], [*deletes]) for name, (upserts, deletes) in changes.items()}
        for upserts, _ in kept.values():
            if any(one["_id"] in self.hates for one in upserts):
                raise ValueError("a document cannot be stored")
        super().apply(kept, expected)


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    return Sink(tmp_path / "warehouse.db")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def instruments(registry: CollectorRegistry) -> Instruments:
    return Instruments(registry)


Start = Callable[..., tuple[Recorder, Shipper]]


@pytest.fixture
def started(tmp_path: Path, sink: Sink, instruments: Instruments) -> Iterator[Start]:
    """Start a recorder with its shipper; closed in the end."""
    open_ones: list[Shipper] = []

    def start(**over: Any) -> tuple[Recorder, Shipper]:
        chosen = settings(**over)
        spool = Spool(tmp_path / "spool", chosen)
        shipper = Shipper(spool, lambda: sink, chosen, instruments)
        shipper.start()
        open_ones.append(shipper)
        kinds: Any = {"docs": "llm", "credit": "classic"}
        return Recorder(spool, chosen, kinds, "c" * 16, instruments), shipper

    yield start
    sink.down = False
    for one in open_ones:
        one.close()


def exchange(**over: Any) -> Exchange:
    """An answered question."""
    values = {
        "twin": "docs",
        "release": "r1",
        "role": "champion",
        "route": "chat",
        "inputs": [{"role": "user", "content": "What is drift?"}],
        "output": "A change of the input.",
        "context": ("c1", "c2"),
        "scores": (0.9, 0.4),
        "timings": {"retrieval": 0.01, "predictor": 0.2},
        "finish": "stop",
        "prompt_tokens": 12,
        "completion_tokens": 6,
    }
    return Exchange(**{**values, **over})
