"""kill -9 in the middle: the next run ends like one that was never killed, and nothing is there twice."""

import json
from pathlib import Path

from tests.integration.conftest import Unharmed, run, versions

#: Stages whose content is a function of the input alone, so that two runs can be compared by version.
COMPARED = ("collect", "validate", "materialize", "snapshot", "train", "evaluate", "gate", "monitor")


def registered(state: Path) -> list[str]:
    """Aliases of the twin's only model version."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{state}/mlflow/mlflow.db")
    (only,) = client.search_model_versions("name = 'credit'")
    aliases: list[str] = client.get_model_version("credit", only.version).aliases
    return aliases


def test_a_classic_run_killed_at_every_stage_ends_like_one_that_was_not(unharmed: Unharmed) -> None:
    """Each run goes on where the one before it died, and dies further on; the last is left alone."""
    state = ".twinstack/killed"
    folder = unharmed.folder / state
    skipped = {"collect": 0, "materialize": 0, "train": 2, "release": 4}
    for point in (
        "collect:after-warehouse", "materialize:before-commit", "train:before-commit", "release:after-traffic"
    ):  # fmt: skip
        stage = point.split(":", maxsplit=1)[0]
        killed = run(unharmed.folder, "end_to_end", "credit", TWINSTACK_STATE=state, TWINSTACK_CRASH_AT=point)
        assert killed.returncode == 1, point
        assert f"stage {stage} died: Killed" in killed.stderr, point
        assert stage not in versions(folder, "credit")
        assert killed.stdout.count("skipped") >= skipped[stage], point
    assert registered(folder) == [], "it was killed before the alias"
    resumed = run(unharmed.folder, "end_to_end", "credit", TWINSTACK_STATE=state)
    assert resumed.returncode == 0, resumed.stderr
    found = versions(folder, "credit")
    assert {name: found[name] for name in COMPARED} == {name: unharmed.versions[name] for name in COMPARED}
    assert found["release"] == unharmed.versions["release"]
    assert registered(folder) == ["champion"]
    assert resumed.stdout.count("skipped") >= 7


def test_killed_index_builds_leave_the_old_index_answering(corpus: Path) -> None:
    from components.adapters.stores import Stores
    from components.shared.config import load

    for name in ("collect", "features"):
        assert run(corpus, name, "docs").returncode == 0
    vectors = Stores(load(corpus / "twinstack.yaml")).vectors
    before = vectors.current("docs")
    (corpus / "docs/four.md").write_text("# Shadow\n\nA shadow gets a copy of the traffic.\n")
    for name, point in (("collect", "collect:after-warehouse"), ("features", "embed:before-flip")):
        assert run(corpus, name, "docs", TWINSTACK_CRASH_AT=point).returncode == 1
        assert vectors.current("docs") == before
        assert run(corpus, name, "docs").returncode == 0
    warehouse = Stores(load(corpus / "twinstack.yaml")).warehouse
    paths = [one["path"] for one in warehouse.scan("documents", twin="docs")]
    assert paths == ["four.md", "one.md", "three.md", "two.md"]
    after = vectors.current("docs")
    assert after is not None
    assert after != before
    embedded = json.loads((corpus / ".twinstack/artifacts/latest/docs/embed.json").read_text())
    assert vectors.count("docs", after) == embedded["facts"]["chunks"]
