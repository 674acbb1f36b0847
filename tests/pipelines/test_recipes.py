"""The macro DAGs: one skeleton for both kinds, compiled without heavy libraries, as committed."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.shared.config import Kind
from pipelines.compiler import COMPILED, compile_all, compiled_path
from pipelines.recipes import RECIPES
from tools.check_compiled import stale

#: What fills a slot differs by kind; everything else has the same name in both.
SLOT = {
    "materialize": "features",
    "embed": "features",
    "snapshot": "dataset",
    "instruct": "dataset",
    "train": "model",
    "finetune": "model",
}

HEAVY = ("torch", "transformers", "pandas", "mlflow", "feast", "pymilvus", "kserve", "hamilton", "xgboost")


def edges(name: str, kind: Kind) -> set[tuple[str, str, str]]:
    """(producer, input, consumer) of a compiled pipeline, stages renamed to their slots."""
    spec = yaml.safe_load(compiled_path(name, kind).read_text())
    found = set()
    for task, body in spec["root"]["dag"]["tasks"].items():
        consumer = SLOT.get(task, task)
        for slot, source in body.get("inputs", {}).get("artifacts", {}).items():
            producer = source["taskOutputArtifact"]["producerTask"]
            found.add((SLOT.get(producer, producer), slot, consumer))
        found.add(("", "", consumer))
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_both_kinds_are_the_same_dag(name: str) -> None:
    assert edges(name, "classic") == edges(name, "llm")


def test_end_to_end_goes_from_sources_to_monitoring() -> None:
    found = edges("end_to_end", "llm")
    assert {
        ("collect", "collected", "validate"),
        ("model", "model", "evaluate"),
        ("gate", "decision", "release"),
    } <= found
    assert {consumer for _, _, consumer in found} == {
        "collect", "validate", "features", "dataset", "model", "evaluate", "gate", "release", "monitor",
    }  # fmt: skip


def test_the_committed_pipelines_are_what_the_recipes_compile_to() -> None:
    assert stale() == []


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    again = {path.name: path.read_bytes() for path in compile_all(tmp_path)}
    assert len(again) > 1
    assert again == {name: (COMPILED / name).read_bytes() for name in again}


def test_the_ui_gets_typed_artifacts() -> None:
    spec: dict[str, Any] = yaml.safe_load(compiled_path("end_to_end", "classic").read_text())
    outputs = spec["components"]["comp-evaluate"]["outputDefinitions"]["artifacts"]
    titles = {one["artifactType"]["schemaTitle"] for one in outputs.values()}
    assert {"system.Metrics", "system.ClassificationMetrics", "system.HTML", "system.Markdown"} <= titles


def test_compiling_is_quick_and_imports_no_heavy_library() -> None:
    program = (
        "import sys, tempfile, pathlib; from pipelines.compiler import compile_all;"
        "compile_all(pathlib.Path(tempfile.mkdtemp()));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
    assert time.monotonic() - start < 5
