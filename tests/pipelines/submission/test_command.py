"""`twin submit` and `twin recurring` as commands: what they print, and how they exit."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import ROOT, look, overlay, task

TWIN = str(Path(sys.executable).parent / "twin")


def twin(*words: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("TWINSTACK_")}
    return subprocess.run(
        [TWIN, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_submits_follows_and_exits_with_0(stub: Kept, tmp_path: Path) -> None:
    stub.states = [
        look("RUNNING", task("collect", "RUNNING")),
        look("SUCCEEDED", task("collect", "SUCCEEDED")),
    ]
    over = overlay(tmp_path, stub)
    done = twin("submit", "collect", "--twin", "credit", "--overlay", str(over))
    assert done.returncode == 0, done.stderr
    assert "#/runs/details/r-1" in done.stdout
    assert "✓ collect" in done.stdout


def test_a_failed_run_exits_with_21_in_one_line(stub: Kept, tmp_path: Path) -> None:
    stub.states = [look("FAILED", task("collect", "FAILED", "out of memory"))]
    over = overlay(tmp_path, stub)
    done = twin("submit", "collect", "-t", "credit", "--overlay", str(over), "--json")
    assert done.returncode == 21
    assert done.stderr.count("\n") == 1
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events == ["submitted", "error", "ended"]


def test_recurring_runs_are_listed_with_what_changed(stub: Kept, tmp_path: Path) -> None:
    over = overlay(tmp_path, stub)
    words = ("submit", "monitor", "--overlay", str(over), "--cron", "0 3 * * *", "--json")
    rows = json.loads(twin(*words).stdout)["recurring"]
    assert {row["recurring run"]: row["change"] for row in rows} == {
        "monitor-docs": "created",
        "monitor-credit": "created",
    }


def test_a_server_that_is_not_there_exits_with_20(stub: Kept, tmp_path: Path) -> None:
    over = overlay(tmp_path, stub)
    done = twin("recurring", "--overlay", str(over), "--endpoint", "http://127.0.0.1:9")
    # An empty list still asks the server, to remove what left it.
    assert done.returncode == 20
    assert "Traceback" not in done.stderr
