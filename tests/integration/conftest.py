"""Runs of the classic twin that several tests start from."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import TWIN, environment


def run(folder: Path, pipeline: str, twin: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`twin run` of one twin, whatever its exit code."""
    return subprocess.run(
        [TWIN, "run", pipeline, "--twin", twin],
        cwd=folder,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )


def versions(state: Path, twin: str) -> dict[str, str]:
    """Stage to the version of what it last committed."""
    return {
        path.stem: json.loads(path.read_text())["version"]
        for path in (state / "artifacts" / "latest" / twin).glob("*.json")
    }


@dataclass(frozen=True)
class Unharmed:
    """A finished run of twin credit that nobody disturbed.

    Attributes:
        folder: A clone of the repository.
        state: Its state folder, below the clone.
        versions: Stage to version when it ended; a test may run on in the state.
    """

    folder: Path
    state: str
    versions: dict[str, str]


@pytest.fixture(scope="session")
def unharmed(tmp_path_factory: pytest.TempPathFactory, clone: Path) -> Unharmed:
    folder, state = tmp_path_factory.mktemp("classic") / "twinstack", ".twinstack/unharmed"
    subprocess.run(["git", "clone", "-q", str(clone), str(folder)], check=True)
    done = run(folder, "end_to_end", "credit", TWINSTACK_STATE=state)
    assert done.returncode == 0, done.stderr
    return Unharmed(folder, state, versions(folder / state, "credit"))
