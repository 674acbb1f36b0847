"""A stage of `twin run` ends with its run: a run that was ended goes on nowhere."""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Process id of the run that a stage belongs to.
RUN = "TWINSTACK_RUN_PID"


@contextmanager
def followed() -> Iterator[None]:
    """Stages that are started in the block end with this process."""
    os.environ[RUN] = str(os.getpid())
    try:
        yield
    finally:
        del os.environ[RUN]


def end_with_run() -> None:
    """From now on, die as by kill -9 when the run has ended, by whatever signal.

    A stage loses nothing by that: it commits whole or not at all. Linux tells of the end of any process
    (`pidfd_open`, since 5.3), also of one that is not the parent: between run and stage stands a shell.
    Elsewhere the stage goes on to its end.
    """
    run = os.environ.get(RUN)
    if run is None or not hasattr(os, "pidfd_open"):
        return
    try:
        process = os.pidfd_open(int(run))
    except ProcessLookupError:
        _die()
    except OSError:  # an older kernel, or a sandbox that forbids it
        return
    threading.Thread(target=_until_the_end_of, args=(process,), name="run", daemon=True).start()


def _until_the_end_of(process: int) -> None:
    ended = select.poll()
    ended.register(process, select.POLLIN)
    ended.poll()
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
