"""A deliberately bad candidate is trained for real, and the champion stays."""

import json
import subprocess

from tests.conftest import TWIN, environment
from tests.integration.conftest import Unharmed, run


def releases(unharmed: Unharmed) -> dict[str, str]:
    """Role to release."""
    done = subprocess.run(
        [TWIN, "releases", "--twin", "credit", "--json"],
        cwd=unharmed.folder,
        env=environment(TWINSTACK_STATE=unharmed.state),
        capture_output=True,
        text=True,
        check=True,
    )
    return {one["role"]: one["release"] for one in json.loads(done.stdout)["releases"]}


def test_the_champion_stays_when_a_bad_candidate_comes(unharmed: Unharmed) -> None:
    champion = releases(unharmed)["champion"]
    # One stump with a vanishing step: it ranks applicants by a single split.
    done = run(
        unharmed.folder,
        "end_to_end",
        "credit",
        TWINSTACK_STATE=unharmed.state,
        TWINSTACK_TWINS__CREDIT__TRAINING__ROUNDS="1",
        TWINSTACK_TWINS__CREDIT__TRAINING__MAX_DEPTH="1",
        TWINSTACK_TWINS__CREDIT__TRAINING__LEARNING_RATE="0.0001",
    )
    assert done.returncode == 0, done.stderr
    assert "block: roc_auc" in done.stdout
    assert f"champion {champion} stays" in done.stdout
    after = releases(unharmed)
    assert after["champion"] == champion
    assert after["candidate"] != champion
