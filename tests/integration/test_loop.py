"""The whole loop, both twins, on the real data, in a clean clone."""

import json
import subprocess
from pathlib import Path

from components.adapters.stores import Stores
from components.runtime import champion
from components.shared.config import load
from tests.conftest import TWIN, Loop


def test_both_twins_end_with_a_champion_and_its_numbers(loop: Loop) -> None:
    warehouse = Stores(load(loop.config)).warehouse
    for twin, metric in (("docs", "answer_f1"), ("credit", "roc_auc")):
        found = champion.champion_of(warehouse, twin)
        assert found is not None
        measure = found.evaluation.candidate[metric]
        assert measure.low <= measure.value <= measure.high
        assert not found.dirty


def test_the_commit_of_the_clone_is_on_every_model(loop: Loop) -> None:
    head = subprocess.run(
        ["git", "-C", str(loop.folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    registry = Stores(load(loop.config)).registry
    for twin in ("docs", "credit"):
        found = registry.champion(twin)
        assert found is not None
        assert registry.tags(twin, found.version)["twinstack.commit"] == head


def test_the_end_shows_a_table_and_three_curl_lines(loop: Loop) -> None:
    assert loop.output.count("curl -s http://127.0.0.1:8080") == 3
    assert "ROC AUC 0." in loop.output
    assert "answer F1 0." in loop.output


def test_a_second_run_skips_every_stage_and_says_why(loop: Loop) -> None:
    done = subprocess.run(
        [TWIN, "run", "end_to_end", "--json"],
        cwd=loop.folder,
        env=loop.env,
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    stages = {(one["twin"], one["stage"]): one["skipped"] for one in events if one["event"] == "done"}
    assert len(stages) == 18
    assert {stage for stage, reason in stages.items() if not reason} == set()


def test_reports_are_pages_with_plots(loop: Loop) -> None:
    for twin, stage in (
        ("credit", "evaluate"),
        ("docs", "evaluate"),
        ("credit", "monitor"),
        ("docs", "monitor"),
    ):
        latest = loop.folder / ".twinstack/artifacts/latest" / twin / f"{stage}.json"
        folder = Path(json.loads(latest.read_text())["uri"].removeprefix("file://"))
        assert "<h1" in (folder / "report.html").read_text()
        assert (folder / "report.md").read_text().startswith("# ")


def test_uncommitted_code_is_refused_before_training(loop: Loop) -> None:
    stray = loop.folder / "stray.py"
    stray.write_text("x = 1\n")
    try:
        env = {**loop.env, "TWINSTACK_TWINS__CREDIT__TRAINING__ROUNDS": "11"}
        done = subprocess.run(
            [TWIN, "run", "train", "--twin", "credit"],
            cwd=loop.folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        stray.unlink()
    assert done.returncode == 5
    assert "stray.py" in done.stderr
    assert "--allow-dirty" in done.stderr
