"""A run that is ended, by kill -9 or otherwise: its stage ends too, and commits nothing later."""

import contextlib
import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import TWIN, environment

#: Milliseconds; a stage that goes on would read for ever.
PATIENCE = 30_000


def opened(table: Path, run: "subprocess.Popen[bytes]") -> int:
    """The writing end of a named pipe, once the stage of the run has the other one."""
    while run.poll() is None:
        with contextlib.suppress(OSError):
            return os.open(table, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.05)
    raise AssertionError("the run ended before its stage read the table")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of any process")
def test_the_running_stage_of_a_killed_run_ends_with_it(corpus: Path) -> None:
    table = corpus / "credit.csv"
    content = table.read_bytes()
    table.unlink()
    os.mkfifo(table)  # a table that nobody has written to its end: the stage waits for it
    run = subprocess.Popen(
        [TWIN, "run", "collect", "--twin", "credit"],
        cwd=corpus,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    write = opened(table, run)
    run.kill()
    run.wait()
    readers = select.poll()
    readers.register(write, select.POLLERR)
    ended = readers.poll(PATIENCE)
    os.close(write)  # one that goes on reads to the end now
    assert ended, "the stage goes on without its run"
    table.unlink()
    table.write_bytes(content)
    again = subprocess.run(
        [TWIN, "run", "collect", "--twin", "credit"],
        cwd=corpus,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1000 rows (1000 new or changed" in again.stdout
