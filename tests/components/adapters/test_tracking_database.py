"""MLflow's database: whole or not there, whoever makes it and whoever is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.adapters.registry import Registry, TrackingError

#: Opens a registry; with a word, kills itself at the first statement of MLflow that names it.
OPENING = """
import os, signal, sqlite3, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from components.adapters.registry import Registry

folder, word = Path(sys.argv[1]), sys.argv[2]

@event.listens_for(Engine, "after_cursor_execute")
def killed(connection, cursor, statement, *others):
    if word and word in statement:
        os.kill(os.getpid(), signal.SIGKILL)

print(Registry(f"sqlite:///{folder}/mlflow.db", folder / "artifacts").champion("t"))
"""


def opening(folder: Path, word: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", OPENING, str(folder), word], stdout=subprocess.PIPE, text=True
    )


def test_a_process_killed_while_the_tables_are_made_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    process = opening(tmp_path, "CREATE TABLE registered_models")
    assert process.wait(timeout=120) == -signal.SIGKILL
    assert not (tmp_path / "mlflow.db").exists()
    two = [opening(tmp_path), opening(tmp_path)]
    assert [one.communicate(timeout=120)[0].strip() for one in two] == ["None", "None"]


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(TrackingError, match=r"database cannot be used.*mlflow\.db.*put back a copy"):
        Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts").champion("t")
