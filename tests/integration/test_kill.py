"""kill -9 in the middle: the next run ends like one that was never killed, and nothing is there twice."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import TWIN, environment

#: Stages whose content is a function of the input alone, so that two runs can be compared by version.
COMPARED = ("collect", "validate", "materialize", "snapshot", "train", "evaluate", "gate", "monitor")


def run(folder: Path, pipeline: str, twin: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWIN, "run", pipeline, "--twin", twin],
        cwd=folder,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )


def versions(state: Path, twin: str) -> dict[str, str]:
    return {
        path.stem: json.loads(path.read_text())["version"]
        for path in (state / "artifacts" / "latest" / twin).glob("*.json")
    }


def registered(state: Path) -> list[str]:
    """Aliases of the twin's only model version."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{state}/mlflow/mlflow.db")
    (only,) = client.search_model_versions("name = 'credit'")
    aliases: list[str] = client.get_model_version("credit", only.version).aliases
    return aliases


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, clone: Path) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "twinstack"
    subprocess.run(["git", "clone", "-q", str(clone), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def unharmed(project: Path) -> dict[str, str]:
    """Versions of a run that nobody killed."""
    done = run(project, "end_to_end", "credit", TWINSTACK_STATE=".twinstack/unharmed")
    assert done.returncode == 0, done.stderr
    return versions(project / ".twinstack/unharmed", "credit")


@pytest.mark.parametrize(
    "point",
    ["collect:after-warehouse", "materialize:before-commit", "train:before-commit", "release:after-traffic"],
)
def test_a_killed_classic_run_is_finished_by_the_next(
    project: Path, unharmed: dict[str, str], point: str
) -> None:
    state = f".twinstack/{point.replace(':', '-')}"
    killed = run(project, "end_to_end", "credit", TWINSTACK_STATE=state, TWINSTACK_CRASH_AT=point)
    assert killed.returncode == 1
    assert "died without an error of its own" in killed.stderr
    stage = point.split(":", maxsplit=1)[0]
    assert stage not in versions(project / state, "credit")
    if stage == "release":
        assert registered(project / state) == [], "it was killed before the alias"
    resumed = run(project, "end_to_end", "credit", TWINSTACK_STATE=state)
    assert resumed.returncode == 0, resumed.stderr
    found = versions(project / state, "credit")
    assert {name: found[name] for name in COMPARED} == {name: unharmed[name] for name in COMPARED}
    assert found["release"] == unharmed["release"]
    assert registered(project / state) == ["champion"]
    assert (
        resumed.stdout.count("skipped") >= {"collect": 0, "materialize": 2, "train": 4, "release": 7}[stage]
    )


@pytest.mark.parametrize("point", ["collect:after-warehouse", "embed:before-flip"])
def test_a_killed_index_build_leaves_the_old_index_answering(corpus: Path, point: str) -> None:
    from components.adapters.stores import Stores
    from components.shared.config import load

    assert run(corpus, "collect", "docs").returncode == 0
    assert run(corpus, "features", "docs").returncode == 0
    vectors = Stores(load(corpus / "twinstack.yaml")).vectors
    before = vectors.current("docs")
    (corpus / "docs/four.md").write_text("# Shadow\n\nA shadow gets a copy of the traffic.\n")
    stage = point.split(":", maxsplit=1)[0]
    pipeline = "collect" if stage == "collect" else "features"
    if stage == "embed":
        assert run(corpus, "collect", "docs").returncode == 0
    assert run(corpus, pipeline, "docs", TWINSTACK_CRASH_AT=point).returncode == 1
    assert vectors.current("docs") == before
    for name in ("collect", "features"):
        assert run(corpus, name, "docs").returncode == 0
    warehouse = Stores(load(corpus / "twinstack.yaml")).warehouse
    paths = [one["path"] for one in warehouse.scan("documents", twin="docs")]
    assert paths == ["four.md", "one.md", "three.md", "two.md"]
    after = vectors.current("docs")
    assert after is not None
    assert after != before
    chunks = json.loads((corpus / ".twinstack/artifacts/latest/docs/embed.json").read_text())["facts"][
        "chunks"
    ]
    assert vectors.count("docs", after) == chunks
