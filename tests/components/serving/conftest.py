"""Both kinds of twin released into a project of their own, and the real server over them."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from components.adapters.encoder import Encoder
from components.adapters.stores import Stores
from components.adapters.warehouse.contract import Warehouse
from components.dataflows import drift_reference
from components.dataflows.drift_reference import Reference
from components.evaluate import reference
from components.runtime import fronts, watched
from components.runtime.champion import promote
from components.runtime.context import Context
from components.shared import digest
from components.shared.config import Config, load
from components.shared.config.llm import Answering
from components.shared.evaluation import Evaluation
from components.shared.lineage import COMMIT_VARIABLE
from components.shared.releases import Release

ROOT = Path(__file__).resolve().parents[3]

PAGES = {
    "storage.md": "# Storage\n\nThe warehouse keeps documents in one SQLite file in WAL mode.\n",
    "index.md": "# Index\n\nAn index version is immutable. An alias names the version that answers.\n",
    "gate.md": "# Gate\n\nThe gate compares a candidate with the champion and blocks a bad candidate.\n",
}


def project(folder: Path) -> Config:
    """A project with the shipped twin credit and a twin docs over three pages."""
    for name, text in PAGES.items():
        (folder / "pages").mkdir(exist_ok=True)
        (folder / "pages" / name).write_text(text, encoding="utf-8")
    shipped = yaml.safe_load((ROOT / "twinstack.yaml").read_text(encoding="utf-8"))["twins"]
    credit = shipped["credit"]
    credit["table"]["path"] = str(ROOT / credit["table"]["path"])
    watch = {"flush_seconds": 0.2, "window_rows": 50, "minimum_rows": 20, "label_delay_seconds": 0}
    credit["monitor"] = watch
    docs = {
        "kind": "llm",
        "monitor": watch,
        "sources": [{"type": "folder", "path": "pages", "include": ["*.md"]}],
        "prompt": str(ROOT / "twins/docs/prompt.md"),
        "questions": {"path": "unused.yaml"},
        "costs": {"prompt": 1.0, "completion": 10.0},
        "gate": {"rules": [{"metric": "answer_f1", "at_least": 0}]},
    }
    values = {"state": "state", "twins": {"credit": credit, "docs": docs}}
    (folder / "twinstack.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return load(folder / "twinstack.yaml")


def release(config: Config, twin: str, **parts: Any) -> Release:
    """Store a release and let it answer."""
    numbers = Evaluation(twin=twin, cases=0, cases_version="", level=0.95, candidate={}, baseline_name="none")
    made = Release(
        id=digest.of_json([twin, {name: str(value) for name, value in parts.items()}]),
        twin=twin,
        model_version="1",
        dataset_version="d",
        commit="c",
        dirty=True,
        trained_on="test data",
        evaluation=numbers,
        created="2026-01-01T00:00:00+00:00",
        **parts,
    )
    promote(Context(config, twin, "release").stores.warehouse, made)
    return made


def freeze(config: Config, made: Release, frozen: Reference) -> None:
    """Keep what the release's drift is measured against."""
    watched.freeze(Context(config, made.twin, "release").stores.warehouse, made, frozen)


def release_credit(config: Config) -> Release:
    """Train the shipped twin by its own stages."""
    from components.collect import core as collect
    from components.materialize import core as materialize
    from components.snapshot import core as snapshot
    from components.train import core as train
    from components.validate import core as validate

    def context(stage: str) -> Context:
        return Context(config, "credit", stage, allow_dirty=True)

    collected = collect.run(context("collect"))
    validated = validate.run(context("validate"), collected=collected)
    features = materialize.run(context("materialize"), validated=validated)
    dataset = snapshot.run(context("snapshot"), validated=validated, features=features)
    model = train.run(context("train"), dataset=dataset)
    uri = model.text("model_uri")
    made = release(config, "credit", kind="classic", model_uri=uri, feature_version=features.version)
    twin = context("serve").classic
    freeze(config, made, reference.classic(dataset, twin, np.linspace(0.05, 0.9, 100)))
    return made


def release_docs(config: Config) -> Release:
    """Index the pages by the twin's own stages; the adapter is a fresh LoRA, which changes no answer."""
    from peft import LoraConfig, get_peft_model

    from components.adapters import foundation
    from components.collect import core as collect
    from components.embed import core as embed
    from components.validate import core as validate

    collected = collect.run(Context(config, "docs", "collect"))
    validated = validate.run(Context(config, "docs", "validate"), collected=collected)
    index = embed.run(Context(config, "docs", "embed"), validated=validated)
    twin = Context(config, "docs", "serve").llm
    base = foundation.base(twin.foundation, config.state_path / "foundation", dtype="float32")
    adapter = config.state_path / "adapter"
    get_peft_model(base.model, LoraConfig(r=4, target_modules="all-linear")).save_pretrained(str(adapter))
    prompt = config.path(twin.prompt).read_text(encoding="utf-8")
    made = release(
        config,
        "docs",
        kind="llm",
        model_uri=adapter.as_uri(),
        prompt=prompt,
        index_version=index.version,
        answering=Answering(),
    )
    vectors = Encoder(twin.encoder).encode([f"What does page {number} say?" for number in range(20)])
    numbers = {"question_characters": 30, "retrieval_score": 0.5, "answer_characters": 20}
    signals = [drift_reference.embedding("question", vectors)] + [
        drift_reference.numeric(name, np.linspace(0, 2 * middle, 40), 10) for name, middle in numbers.items()
    ]
    freeze(config, made, Reference(made="", described="test questions", signals=tuple(signals)))
    return made


@dataclass(frozen=True)
class Running:
    """A server process."""

    url: str
    process: subprocess.Popen[str]
    log: list[str]


def start(folder: Path, *words: str, until: str = "serving on http") -> Running:
    """Start the server on a free port and wait for a line of its log, which ends with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "components.serving", "--config", "twinstack.yaml", "--port", "0", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    lines: list[str] = []
    address: Queue[str] = Queue()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if until in line:
                address.put(line.split()[-1])
        address.put("")

    threading.Thread(target=read, daemon=True).start()
    url = address.get(timeout=300)
    assert url, "".join(lines)
    return Running(url, process, lines)


def stop(running: Running, number: int = signal.SIGTERM) -> int:
    """Ask the process to end and return its exit code."""
    running.process.send_signal(number)
    return running.process.wait(timeout=60)


@dataclass(frozen=True)
class Served:
    """Both twins behind one real server."""

    folder: Path
    config: Config
    credit: Release
    docs: Release
    url: str
    client: httpx.Client
    log: list[str]

    def post(self, path: str, body: Any) -> httpx.Response:
        """Send a body as JSON, or as it is where it is bytes."""
        if isinstance(body, bytes):
            return self.client.post(path, content=body, headers={"content-type": "application/json"})
        return self.client.post(path, json=body)

    def predict(self, *instances: dict[str, Any]) -> list[dict[str, Any]]:
        """Predictions by V1."""
        answer = self.post("/v1/models/credit:predict", {"instances": list(instances)})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["predictions"]
        return found

    def chat(self, question: str, **more: Any) -> httpx.Response:
        """Ask twin docs."""
        messages = [{"role": "user", "content": question}]
        return self.post("/openai/v1/chat/completions", {"model": "docs", "messages": messages, **more})


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory, weights: Path
) -> tuple[Path, Config, Release, Release]:
    """A project whose two twins have champions."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(COMMIT_VARIABLE, "0" * 40)
        config = project(folder)
        config.state_path.mkdir()
        (config.state_path / "foundation").symlink_to(weights)
        return folder, config, release_credit(config), release_docs(config)


def beside(source: Path, config: Config, folder: Path) -> Warehouse:
    """A project of its own with the configuration and warehouse of another, and no front in it yet.

    A front that runs over the other one tells of itself in its warehouse: nobody is to wait for it here.
    """
    (folder / "state").mkdir()
    shutil.copy(source / "twinstack.yaml", folder)
    with (
        sqlite3.connect(config.state_path / "warehouse.db") as whole,
        sqlite3.connect(folder / "state/warehouse.db") as copy,
    ):
        whole.backup(copy)
    warehouse = Stores(load(folder / "twinstack.yaml")).warehouse
    for twin in config.twins:
        for one in list(fronts.running(warehouse, twin)):
            fronts.forget(warehouse, one.id)
    return warehouse


@pytest.fixture(scope="session")
def served(released: tuple[Path, Config, Release, Release]) -> Iterator[Served]:
    """The real server over both twins."""
    folder, config, credit, docs = released
    running = start(folder)
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as client:
        assert client.get("/v2/health/ready").json() == {"ready": True}
        yield Served(folder, config, credit, docs, running.url, client, running.log)
    assert stop(running) == 0, "".join(running.log)


@pytest.fixture
def row() -> Callable[[int], dict[str, Any]]:
    """Raw columns of the n-th application, without the outcome."""
    import pandas as pd

    table = pd.read_csv(ROOT / "twins/credit/german_credit.csv").drop(columns="creditability")

    def find(number: int) -> dict[str, Any]:
        found: dict[Any, Any] = table.iloc[number - 1].to_dict()
        return {name: value if isinstance(value, str) else int(value) for name, value in found.items()}

    return find
