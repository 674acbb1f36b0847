"""SQLite files as several processes share them."""

import sqlite3
from pathlib import Path
from typing import Literal


def opened(path: Path, *, synchronous: Literal["FULL", "NORMAL"]) -> sqlite3.Connection:
    """A file in WAL mode, made where there is none; every statement outside a transaction is one of its own.

    Threads may share the connection, one at a time.

    Args:
        path: The file.
        synchronous: `FULL`: what is committed stays after a power cut; `NORMAL`: the last commits may not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # 30 s: a second writer waits for the first instead of failing.
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection
