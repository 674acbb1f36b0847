"""Runs pipelines through the command line, in processes of their own: `twin run`, or `twin submit`."""

import json
import logging
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.adapters.stores import Stores
from components.adapters.warehouse.contract import ConflictError, Span
from components.console import runs
from components.console.runs import Pipeline, Run, Stage
from components.shared.config import Config

log = logging.getLogger("twinstack.console")


class CommandRunner:
    """Starts `twin run` on a laptop and `twin submit`, which follows the run, on a cluster.

    A run goes on when the console ends: its process belongs to no one. The next console finds it by its
    process, or says that it was interrupted.

    Args:
        config: The configuration.
        file: Where it was read from; the run reads it again.
        ended: Told of every run that ends; says what followed from it.
    """

    def __init__(self, config: Config, file: Path, ended: Callable[[Run], str]) -> None:
        self._config = config
        self._file = file.resolve()
        self._warehouse = Stores(config).warehouse
        self._ended = ended
        self._lock = threading.Lock()
        self._mend()

    def start(self, pipeline: Pipeline, twin: str, by: str) -> Run:
        """Start a run; see `runs.Runner`.

        Raises:
            UnknownTwinError: There is no such twin.
            ConflictError: A run of the twin is going on.
        """
        self._config.twin(twin)
        with self._lock:
            for other in runs.stored(self._warehouse, twin):
                if other.state == "running":
                    raise ConflictError(
                        f"run {other.id} of twin '{twin}' is going on",
                        where="runs",
                        remedy="wait until it has ended: GET /api/v1/runs",
                    )
            return self._begin(pipeline, twin, by)

    def listed(self, twin: str | None = None, span: Span = runs.NEWEST) -> Iterator[Run]:
        """Runs, the newest first."""
        return runs.stored(self._warehouse, twin, span)

    def read(self, key: str) -> Run:
        """One run, with the stages done so far."""
        found = runs.read(self._warehouse, key)
        if found.state != "running":
            return found
        stages, error = _progress(self._events(found))
        return found.model_copy(update={"stages": stages, "error": error})

    def _begin(self, pipeline: Pipeline, twin: str, by: str) -> Run:
        now = datetime.now(UTC)
        key = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        run = Run(id=key, pipeline=pipeline, twin=twin, by=by, started=now.isoformat(timespec="seconds"))
        folder = self._events(run).parent
        folder.mkdir(parents=True)
        root = self._config.root_path
        with self._events(run).open("wb") as events, (folder / "log.txt").open("wb") as said:
            process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                self._command(pipeline, twin),
                # The console's image lacks the project, which only the stages of a run read.
                cwd=root if root.is_dir() else folder,
                stdin=subprocess.DEVNULL,
                stdout=events,
                stderr=said,
                start_new_session=True,
            )
        run = run.model_copy(update={"pid": process.pid})
        runs.store(self._warehouse, run)
        log.info("run %s: %s of twin '%s', started by %s", run.id, pipeline, twin, by)
        threading.Thread(target=self._wait, args=(run, process), name=f"run-{run.id}", daemon=True).start()
        return run

    def _command(self, pipeline: Pipeline, twin: str) -> list[str]:
        verb = "run" if self._config.profile == "local" else "submit"
        words = [verb, pipeline, "--twin", twin, "--config", str(self._file), "--json"]
        return [sys.executable, "-m", "pipelines.cli", *words]

    def _wait(self, run: Run, process: "subprocess.Popen[bytes]") -> None:
        code = process.wait()
        self._close(run, "failed" if code else "succeeded", f"ended with exit code {code}" if code else "")

    def _close(self, run: Run, state: runs.State, otherwise: str) -> None:
        stages, error = _progress(self._events(run))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        words = error or self._last_words(run) or otherwise if state != "succeeded" else ""
        changes = {"state": state, "ended": now, "stages": stages, "error": words}
        ended = run.model_copy(update=changes)
        runs.store(self._warehouse, ended)
        log.info("run %s %s", run.id, state)
        try:
            followed = self._ended(ended)
        except Exception as error:  # the run itself is written down; this must not end the thread
            log.exception("what follows from run %s failed", run.id)
            followed = f"failed: {type(error).__name__}; see the log of the operations API"
        if followed:
            runs.store(self._warehouse, ended.model_copy(update={"followed": followed}))
            log.info("run %s: %s", run.id, followed)

    def _last_words(self, run: Run) -> str:
        """The error that the command told people about."""
        path = self._events(run).with_name("log.txt")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        said = [line for line in lines if line.startswith("error: ")]
        return said[-1].removeprefix("error: ") if said else ""

    def _mend(self) -> None:
        """Follow runs of an earlier console that still go on; the others were interrupted."""
        for run in list(runs.stored(self._warehouse)):
            if run.state != "running":
                continue
            if _ours(run.pid):
                threading.Thread(target=self._follow, args=(run,), name=f"run-{run.id}", daemon=True).start()
            else:
                self._close(run, "interrupted", "its process is gone; starting it again resumes it")

    def _follow(self, run: Run) -> None:
        """Wait for a process that is no child of ours; its exit code is lost, its last event is not."""
        gone = threading.Event()
        while _ours(run.pid):
            gone.wait(1.0)
        _, error = _progress(self._events(run))
        self._close(run, "failed" if error or self._last_words(run) else "succeeded", "")

    def _events(self, run: Run) -> Path:
        return self._config.state_path / "console" / run.id / "events.jsonl"


def _ours(pid: int) -> bool:
    """Whether a process is a run of ours, not another one that got its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return _alive(pid) and not Path("/proc").exists()
    return b"pipelines.cli" in words


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _progress(events: Path) -> tuple[tuple[Stage, ...], str]:
    """Stages that are done, and the error where there was one."""
    stages, error = [], ""
    for event in _lines(events):
        if event.get("event") == "done":
            stages.append(Stage.model_validate(event))
        if event.get("event") == "error":
            error = "; ".join(filter(None, (event.get("what", ""), event.get("remedy", ""))))
    return tuple(stages), error


def _lines(events: Path) -> Iterator[dict[str, Any]]:
    """JSON objects of a file that may still be written to."""
    if not events.exists():
        return
    with events.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
