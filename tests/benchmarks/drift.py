"""`twin drift` beside Evidently, which is installed in an environment of its own; and what a request pays."""

import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from tests.benchmarks.report import Row

ROWS, NUMBERS, TEXTS = 1_000_000, 20, 5

#: The last version that FACTS of ours were measured with.
EVIDENTLY = "evidently>=0.7,<0.8"

#: One run of its drift preset with one method for every column; prints seconds without reading.
OTHER = """
import json, sys, time
import pandas as pd
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset
before, now = (pd.read_parquet(path) for path in sys.argv[1:3])
start = time.perf_counter()
numbers = [name for name in before if name.startswith("n")]
texts = [name for name in before if name.startswith("c")]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
data = [Dataset.from_pandas(one, data_definition=definition) for one in (now, before)]
result = Report([DataDriftPreset(method="psi")]).run(*data)
result.dict()
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def tables(folder: Path) -> tuple[Path, Path]:
    """Two tables of a million rows and 25 columns, numbers and texts."""
    import pandas as pd

    paths = []
    for number in range(2):
        draw = np.random.default_rng(number)
        columns: dict[str, object] = {f"n{one:02}": draw.normal(size=ROWS) for one in range(NUMBERS)}
        columns |= {f"c{one}": draw.choice(list("abcdefgh"), ROWS) for one in range(TEXTS)}
        paths.append(folder / f"{number}.parquet")
        pd.DataFrame(columns).to_parquet(paths[-1], index=False)
    return paths[0], paths[1]


def ratio() -> list[Row]:
    """Seconds for a table of a million rows, and microseconds a request."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        before, now = tables(folder)
        command = [sys.executable, "-c", "from pipelines.cli import main; main()", "drift", "--json"]
        done = subprocess.run(
            [*command, "--reference", str(before), "--current", str(now)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        ours = float(json.loads(done.stdout)["seconds"])
        theirs = _evidently(folder, before, now)
    return [
        Row("drift: Evidently (PSI), 1e6 x 25", theirs, "s", ours, "s twin drift, with reading", ">= 40"),
        Row("drift: twin drift, 1e6 x 25, with reading", ours, "s", budget="<= 2 s"),
        *request(),
    ]


def _evidently(folder: Path, before: Path, now: Path) -> float:
    home = folder / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", EVIDENTLY, "pandas<3", "pyarrow"], check=True)
    done = subprocess.run(
        [python, "-c", OTHER, str(before), str(now)], capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def request(features: int = 28, requests: int = 20_000, batch: int = 64) -> list[Row]:
    """What watching costs a request: on the event loop, and on the watch's own thread in batches."""
    from components.dataflows import drift_reference
    from components.dataflows.drift_reference import Reference
    from components.dataflows.drift_window import Window
    from components.serving.exchange import Exchange
    from components.serving.watching import rows

    draw = np.random.default_rng(0)
    names = [f"n{one:02}" for one in range(features)]
    signals = [drift_reference.numeric(name, draw.normal(size=1000), 10) for name in [*names, "prediction"]]
    window = Window(Reference(made="", described="", signals=tuple(signals)))
    made = [
        Exchange(features=draw.normal(size=(1, features)), output=[{"probability": 0.5}])
        for _ in range(batch)
    ]
    start = time.perf_counter()
    for _ in range(requests // batch):
        window.add(*rows.classic(made, names))
    adding = (time.perf_counter() - start) / (requests // batch * batch)
    vectors = draw.normal(size=(1000, 384))
    embedded = Window(
        Reference(made="", described="", signals=(drift_reference.embedding("question", vectors),))
    )
    start = time.perf_counter()
    for _ in range(requests // batch):
        embedded.add(batch, {"question": vectors[:batch]})
    fourier = (time.perf_counter() - start) / (requests // batch * batch)
    return [
        Row(f"drift: {features} features, in batches of {batch}", adding * 1e6, "us/request", budget="<= 50"),
        Row(f"drift: a question, in batches of {batch}", fourier * 1e6, "us/request", budget="<= 50"),
        Row("drift: on the event loop", _noting() * 1e6, "us/request", budget="<= 50"),
    ]


def _noting(requests: int = 100_000) -> float:
    """Seconds that the observer itself takes."""
    from collections import deque

    from components.serving.exchange import Exchange
    from components.serving.watching.watch import WAITING, Watch

    watch = Watch.__new__(Watch)
    watch._waiting = deque()
    exchange = Exchange(output=[])
    spent = 0.0
    for _ in range(requests // WAITING):
        start = time.perf_counter()
        for _ in range(WAITING):
            watch(exchange, 200, 0.01)
        spent += time.perf_counter() - start
        watch._waiting.clear()
    return spent / (requests // WAITING * WAITING)
