"""A deliberately bad candidate is trained for real, and the champion stays."""

import json
import subprocess
from pathlib import Path

from tests.conftest import TWIN, environment


def run(folder: Path, **env: str) -> str:
    done = subprocess.run(
        [TWIN, "run", "end_to_end", "--twin", "credit"],
        cwd=folder, env=environment(**env), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def releases(folder: Path) -> dict[str, str]:
    done = subprocess.run(
        [TWIN, "releases", "--twin", "credit", "--json"],
        cwd=folder, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {one["role"]: one["release"] for one in json.loads(done.stdout)["releases"]}


def test_the_champion_stays_when_a_bad_candidate_comes(tmp_path: Path, clone: Path) -> None:
    folder = tmp_path / "twinstack"
    subprocess.run(["git", "clone", "-q", str(clone), str(folder)], check=True)
    run(folder)
    champion = releases(folder)["champion"]
    # One stump with a vanishing step: it ranks applicants by a single split.
    output = run(
        folder,
        TWINSTACK_TWINS__CREDIT__TRAINING__ROUNDS="1",
        TWINSTACK_TWINS__CREDIT__TRAINING__MAX_DEPTH="1",
        TWINSTACK_TWINS__CREDIT__TRAINING__LEARNING_RATE="0.0001",
    )
    assert "block: roc_auc" in output
    assert f"champion {champion} stays" in output
    after = releases(folder)
    assert after["champion"] == champion
    assert after["candidate"] != champion
