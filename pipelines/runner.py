"""Runs a compiled pipeline on this machine through kfp.local, and tells how far it is."""

import contextlib
import io
import json
import re
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from components.shared import lineage
from components.shared.config import Config, dump
from components.shared.errors import ConfigError, TwinError
from components.shared.following import followed
from components.shared.progress import MARK
from pipelines import place
from pipelines.compiler import COMPILED, compiled_path
from pipelines.narrator import Narrator

#: Runs whose logs are kept.
KEPT_RUNS = 20

#: The end of a traceback, or what the shell says of a program that a signal ended: `Killed` is often memory.
DIED = re.compile(
    r"\s+((?:Killed|Terminated|Segmentation fault|Bus error)\b.*|[A-Za-z_][\w.]*(?:Error|Exception|Exit)\b.*)"
)

#: File descriptor of standard output.
STDOUT = 1

#: How a terminal is told a colour.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

#: Pipelines that train, and so need committed code.
TRAINING = {"train", "end_to_end"}


@dataclass
class StageRecord:
    """What one stage did in one run."""

    twin: str
    stage: str
    seconds: float
    summary: str
    skipped: str
    version: str


@dataclass
class Follower(io.TextIOBase):
    """Standard output of a run: everything into the log, events to the narrator."""

    log: TextIO
    narrator: Narrator
    records: list[StageRecord] = field(default_factory=list)
    error: dict[str, Any] | None = None
    stage: str = ""
    died: str = ""
    _line: str = ""
    _started: float = 0.0

    def write(self, text: str) -> int:
        """Take output as it comes; lines may arrive in pieces."""
        with contextlib.suppress(OSError):  # a full disk: why the run ends is told all the same
            self.log.write(text)
        self._line += text
        while "\n" in self._line:
            line, self._line = self._line.split("\n", 1)
            if MARK in line:
                self._event(json.loads(line.split(MARK, 1)[1]))
            elif found := DIED.fullmatch(line):
                self.died = found[1]
        return len(text)

    def flush(self) -> None:
        """Bring the log to disk, so that a killed run leaves what it said."""
        with contextlib.suppress(OSError):
            self.log.flush()

    def fileno(self) -> int:
        """Of the standard output that it stands for; rich turns that away once nobody reads it any more."""
        return STDOUT

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "start":
            self._started = time.monotonic()
            self.stage, self.died = event["stage"], ""
        if event["event"] == "error":
            self.error = event
        if event["event"] == "done":
            event["seconds"] = round(time.monotonic() - self._started, 1)
            self.records.append(
                StageRecord(**{name: event[name] for name in StageRecord.__dataclass_fields__})
            )
        self.narrator.tell(event)


def run(
    name: str, config: Config, twin: str, narrator: Narrator, *, allow_dirty: bool = False
) -> list[StageRecord]:
    """Run a compiled pipeline for one twin.

    Args:
        name: A key of `pipelines.recipes.RECIPES`.
        config: The configuration; it travels into the pipeline as one parameter.
        twin: Name of the twin.
        narrator: Gets every event.
        allow_dirty: Train on uncommitted code.

    Raises:
        LineageError: The pipeline trains, the code is not committed and `allow_dirty` was not given.
        TwinError: A stage failed; what the stages before it committed stays, running again resumes there.
    """
    path = compiled_path(name, config.twin(twin).kind)
    if not path.exists():
        known = sorted({one.stem.rpartition("-")[0] for one in COMPILED.glob("*.yaml")})
        raise ConfigError(
            f"no compiled pipeline '{name}'",
            where=str(COMPILED),
            remedy=f"use one of: {', '.join(known)}" if known else "run `make compile`",
        )
    if name in TRAINING:  # now, not after the minutes that the stages before the training take
        lineage.require_committed(config.root_path, allow_dirty=allow_dirty)
    place.require_same(config.state_path)
    folder = _run_folder(config.state_path / "runs", f"{name}-{twin}")
    narrator.begin(name, twin, folder / "log.txt")
    with _log(folder / "log.txt") as log:
        follower = Follower(log, narrator)
        try:
            _execute(path, folder, follower, config=dump(config), twin=twin, allow_dirty=allow_dirty)
        except RuntimeError as error:
            raise _explain(follower, error, folder / "log.txt") from error
    return follower.records


@contextlib.contextmanager
def _log(path: Path) -> Iterator[TextIO]:
    """A file that is written; that its end does not fit on the disk hides no other error."""
    log = path.open("w", encoding="utf-8")
    try:
        yield log
    finally:
        with contextlib.suppress(OSError):
            log.close()


def _execute(path: Path, folder: Path, follower: Follower, **arguments: Any) -> None:
    with _quiet():
        from kfp import components, local

        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(folder), raise_on_error=True)
        with contextlib.redirect_stdout(follower), followed():
            components.load_component_from_file(str(path))(**arguments)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """kfp warns that an image without `python` in its name may not be this interpreter's; ours all are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-Python base image.*")
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield


def _explain(follower: Follower, error: RuntimeError, log: Path) -> TwinError:
    if follower.error:
        found = TwinError(follower.error["text"], where=f"stage {follower.error['stage']}, log {log}")
        found.exit_code = int(follower.error["code"])
        return found
    return TwinError(
        f"stage {follower.stage or 'of the run'} died: {follower.died or COLOUR.sub('', str(error))}",
        where=f"log {log}",
        remedy="look at the end of the log; running again resumes at the stage that died",
    )


def _run_folder(root: Path, name: str) -> Path:
    """A new folder; the oldest runs' folders are removed."""
    import shutil

    root.mkdir(parents=True, exist_ok=True)
    for old in sorted(root.iterdir())[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    folder = root / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{name}"
    folder.mkdir()
    return folder
