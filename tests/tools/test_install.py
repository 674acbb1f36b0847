"""What `make run` says where something it needs is missing: what, and what to do about it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def install(python: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(ROOT / "tools/install.sh"), "train,serve"],
        env={"PATH": path, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of the few programs that the script calls, to stand for a bare machine."""
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    return tmp_path


def test_a_missing_git_is_named_with_the_reason(tools: Path) -> None:
    done = install("python3", str(tools))
    assert done.returncode == 2
    assert "git is not installed; install it" in done.stderr


def test_a_missing_python_says_how_to_name_one(tools: Path) -> None:
    program(tools, "git", "exit 0")
    done = install("python9", str(tools))
    assert done.returncode == 2
    assert "'python9' is not installed" in done.stderr
    assert "make run PYTHON=" in done.stderr


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14"])
def test_a_python_that_is_too_old_or_too_new_is_refused(tools: Path, version: str) -> None:
    program(tools, "git", "exit 0")
    fake = program(tools, "python-other", f"echo {version}")
    done = install(str(fake), f"{tools}{os.pathsep}/usr/bin")
    assert done.returncode == 2
    assert f"is Python {version}, needed is 3.11 or 3.12" in done.stderr


def test_a_python_without_venv_names_the_package(tools: Path) -> None:
    program(tools, "git", "exit 0")
    fake = program(tools, "python-bare", 'case "$2" in *version*) echo 3.11 ;; *) exit 1 ;; esac')
    done = install(str(fake), f"{tools}{os.pathsep}/usr/bin")
    assert done.returncode == 2
    assert "python3-venv" in done.stderr


def test_make_help_explains_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    makefile = (ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:")).split()[1:]
    assert {target for target in phony if f"make {target} " not in done.stdout} == set()
