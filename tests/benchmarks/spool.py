"""What keeping an answer costs its request: the recorder beside one bare write of the same bytes."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from components.serving.exchange import Exchange
from components.serving.recording.recorder import Recorder
from components.serving.recording.spool import Spool
from components.shared.config import Kind
from components.shared.config.interactions import Interactions
from components.shared.metrics.instruments import Instruments
from tests.benchmarks.report import Row
from tests.benchmarks.timing import percentiles

COUNT = 20_000

QUESTION = "How does the gate decide whether a candidate becomes the champion, and who is asked? " * 3


def exchange() -> Exchange:
    """A question of 250 characters with three chunks and an answer of 500."""
    return Exchange(
        twin="docs",
        release="0123456789abcdef",
        role="champion",
        route="chat",
        inputs=[{"role": "user", "content": QUESTION}],
        output=QUESTION * 2,
        context=("a" * 16, "b" * 16, "c" * 16),
        scores=(0.9, 0.7, 0.4),
        timings={"retrieval": 0.01, "prompt": 0.001, "predictor": 0.5},
        finish="stop",
        prompt_tokens=400,
        completion_tokens=120,
    )


def microseconds(call: Callable[[], object]) -> tuple[float, float]:
    """p50 and p99 of a call."""
    p50, p99 = percentiles(call, COUNT)
    return p50 * 1e6, p99 * 1e6


def cost() -> list[Row]:
    """The recorder with nothing redacted and with everything, the check of admission, and a bare write."""
    rows = []
    one = exchange()
    with tempfile.TemporaryDirectory() as folder:
        size = 0
        for policy in ("full", "redacted"):
            settings = Interactions(inputs=policy, output=policy, min_free_bytes=0)
            spool = Spool(Path(folder) / policy, settings)
            kinds: dict[str, Kind] = {"docs": "llm"}
            recorder = Recorder(spool, settings, kinds, "c" * 16, Instruments(CollectorRegistry()))
            found = microseconds(partial(recorder, one, 200, 0.6))
            size = sum(segment.size for segment in spool.segments()) // COUNT
            rows.append((f"spool, {policy}", *found))
        rows.append(("spool, admission", *microseconds(spool.admits)))
        file = os.open(Path(folder) / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        data = b"x" * size
        bare = microseconds(lambda: os.write(file, data))
        os.close(file)
    what = f"µs, one write of {size} bytes"
    return [
        Row(
            f"{name}, {part}",
            value,
            "µs",
            base,
            what,
            "≤ 30 µs" if name == "spool, full" and part == "p50" else "",
        )
        for name, p50, p99 in rows
        for part, value, base in (("p50", p50, bare[0]), ("p99", p99, bare[1]))
    ]
