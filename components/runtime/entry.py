"""The two ways into a stage from outside: a KFP task and `python -m components.<stage>`."""

import argparse
import contextlib
import errno
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from components.adapters import sqlite
from components.adapters.artifacts.contract import require_latest
from components.runtime import pushing
from components.runtime.context import Context
from components.shared import manifests
from components.shared.config import load, parse
from components.shared.errors import MissingError, TwinError, exit_on_error, storage_error
from components.shared.files import write_atomic
from components.shared.following import end_with_run
from components.shared.manifests import Manifest
from components.shared.progress import emit

Run = Callable[..., Manifest]

#: Bytes; a disk with less is full, whatever a failing library says.
FULL_DISK = 64 << 10

#: Which stages may fill an input slot, the kinds' variants side by side.
SLOTS: dict[str, tuple[str, ...]] = {
    "collected": ("collect",),
    "validated": ("validate",),
    "features": ("materialize", "embed"),
    "dataset": ("snapshot", "instruct"),
    "model": ("train", "finetune"),
    "evaluation": ("evaluate",),
    "decision": ("gate",),
    "released": ("release",),
}


class PathArtifact(Protocol):
    """What a KFP artifact and a test's stand-in have in common."""

    path: str
    metadata: dict[str, Any]


def run_stage(run: Run, context: Context, given: Mapping[str, Manifest | None]) -> Manifest:
    """Run a stage's core; an input that was not given is the twin's newest.

    Args:
        run: The stage's `core.run`.
        context: Its surroundings.
        given: Slot to manifest, None where the newest is meant.
    """
    emit("start", stage=context.stage, twin=context.twin)
    started = time.monotonic()
    try:
        made = _made(run, context, given)
    except Exception:
        pushing.ended(context, well=False)
        raise
    pushing.succeeded(context, made, time.monotonic() - started)
    emit(
        "done",
        stage=context.stage,
        twin=context.twin,
        summary=made.summary,
        skipped=made.skipped,
        version=made.version,
    )
    return made


def _made(run: Run, context: Context, given: Mapping[str, Manifest | None]) -> Manifest:
    try:
        store = context.stores.artifacts
        inputs = {
            slot: store.bound(manifest) if manifest else require_latest(store, context.twin, SLOTS[slot])
            for slot, manifest in given.items()
        }
        return run(context, **inputs)
    except Exception as error:
        told = _told(error, context.config.state_path)
        if told is not None:
            emit("error", stage=context.stage, twin=context.twin, text=str(told), code=told.exit_code)
        if told is None or told is error:
            raise
        raise told from error


def _told(error: Exception, state: Path) -> TwinError | None:
    """An error that a person can act on; None where nobody knows more than the error itself says."""
    if isinstance(error, TwinError):
        return error
    if isinstance(error, OSError) and (found := storage_error(error) or _lost(error, state)):
        return found
    if isinstance(error, sqlite3.Error):  # of a library's own file, for example Feast's
        return sqlite.failed(error, str(state))
    with contextlib.suppress(OSError):
        if shutil.disk_usage(state).free < FULL_DISK:  # each library says it in words of its own
            return storage_error(OSError(errno.ENOSPC, f"the disk is full, {error}", str(state)))
    return None


def _lost(error: OSError, state: Path) -> TwinError | None:
    """That a file which an earlier stage made is there no more, where the error says so."""
    artifacts = state / "artifacts"
    if not isinstance(error, FileNotFoundError) or not Path(str(error.filename)).is_relative_to(artifacts):
        return None
    made = artifacts.joinpath(*Path(str(error.filename)).relative_to(artifacts).parts[:2])
    return MissingError(
        f"a file that an earlier stage made is gone: {error.filename}",
        remedy=f"delete {made}, then run again: it is made anew",
    )


def task(
    run: Run,
    stage: str,
    config: str,
    twin: str,
    output: PathArtifact,
    *,
    allow_dirty: bool = False,
    **inputs: PathArtifact | None,
) -> Manifest:
    """Run a stage as a KFP task: artifacts in, artifact out, its metadata filled for the KFP UI.

    Args:
        run: The stage's `core.run`.
        stage: Its name.
        config: JSON text of the configuration.
        twin: Name of the twin.
        output: KFP artifact that receives the manifest.
        allow_dirty: Train on uncommitted code and mark the model.
        **inputs: Slot to KFP artifact, None where the twin's newest is meant.
    """
    end_with_run()
    context = Context(parse(config), twin, stage, allow_dirty)
    given = {slot: manifests.read(Path(one.path)) if one else None for slot, one in inputs.items()}
    made = run_stage(run, context, given)
    write_atomic(Path(output.path), made.model_dump_json(indent=2))
    output.metadata.update(
        {"version": made.version, "uri": made.uri, "summary": made.summary, "skipped": made.skipped}
    )
    output.metadata.update({k: v for k, v in made.facts.items() if isinstance(v, str | int | float)})
    return made


def main(run: Run, stage: str, *slots: str) -> None:
    """Run a stage from the command line: `python -m components.<stage>`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m components.{stage}", description=sys.modules[f"components.{stage}"].__doc__
    )
    parser.add_argument("--config", type=Path, default=Path("twinstack.yaml"), help="default: %(default)s")
    parser.add_argument("--twin", required=True, help="name of the twin")
    parser.add_argument(
        "--output", type=Path, help="file that receives the manifest; default: standard output"
    )
    parser.add_argument(
        "--allow-dirty", action="store_true", help="train on uncommitted code and mark the model"
    )
    for slot in slots:
        parser.add_argument(
            f"--{slot}", type=Path, help=f"manifest of {' or '.join(SLOTS[slot])}; default: the twin's newest"
        )
    words = parser.parse_args()
    with exit_on_error():
        given = {slot: manifests.read(path) if (path := getattr(words, slot)) else None for slot in slots}
        made = run_stage(run, Context(load(words.config), words.twin, stage, words.allow_dirty), given)
    text = made.model_dump_json(indent=2)
    if words.output:
        write_atomic(words.output, text)
    else:
        sys.stdout.write(text + "\n")
