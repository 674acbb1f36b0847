"""The list of packages that the large layer of an image depends on."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def listed(project: str | Path, *extras: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "images/requirements.py"), str(project), *extras],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_extras_that_an_extra_includes_are_resolved(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        """[project]
name = "twinstack"
dependencies = ["rich>=15"]
[project.optional-dependencies]
pipeline = ["numpy>=2", "psycopg[binary,pool]>=3.2", "xgboost>=3; sys_platform != 'linux'"]
train = ["twinstack[pipeline]", "peft>=0.21", "numpy>=2"]
console = ["fastapi>=0.165"]
"""
    )
    assert listed(path, "train") == [
        "numpy>=2",
        "peft>=0.21",
        "psycopg[binary,pool]>=3.2",
        "rich>=15",
        "xgboost>=3; sys_platform != 'linux'",
    ]


def test_an_edit_of_a_setting_changes_nothing(tmp_path: Path) -> None:
    text = (ROOT / "pyproject.toml").read_text()
    edited = tmp_path / "pyproject.toml"
    edited.write_text(text.replace("line-length = 110", "line-length = 99"))
    assert tomllib.loads(edited.read_text()) != tomllib.loads(text)
    assert listed(edited, "serve", "cluster") == listed(ROOT / "pyproject.toml", "serve", "cluster")


def test_an_extra_that_is_not_there_ends_the_build(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "a"\ndependencies = []\n[project.optional-dependencies]\n')
    done = subprocess.run(
        [sys.executable, str(ROOT / "images/requirements.py"), str(path), "kitchen"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "kitchen" in done.stderr
