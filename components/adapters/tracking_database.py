"""MLflow's database in one SQLite file, made whole or not at all."""

from pathlib import Path
from typing import Any

from components.shared.files import locked


def ensure(path: Path, artifacts: Path) -> None:
    """Make the database where there is none: aside, then under its name.

    MLflow makes its tables in some seconds of steps that it cannot take up again: a process killed among them
    leaves a file that no later one opens, and two processes at once stop each other.

    Args:
        path: The file.
        artifacts: Folder of the artifacts of its default experiment.
    """
    if path.exists():
        return
    with locked(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            _made(path, artifacts)


def _made(path: Path, artifacts: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    aside = path.with_name(f".{path.name}.new")
    for left in (aside, aside.with_name(f"{aside.name}-journal")):
        left.unlink(missing_ok=True)
    store: Any = SqlAlchemyStore  # MLflow does not type it
    store(f"sqlite:///{aside}", artifacts.as_uri()).engine.dispose()
    aside.replace(path)
