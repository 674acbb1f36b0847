"""SQLite files as several processes share them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from components.shared.errors import StorageError

#: Primary result code of SQLite to what to do; https://www.sqlite.org/rescode.html
REMEDIES = {
    sqlite3.SQLITE_FULL: "free space on its disk, then run the same again: what was finished is kept",
    sqlite3.SQLITE_BUSY: "another program holds it; wait until that has ended, or end it",
    sqlite3.SQLITE_READONLY: "make it writable, or name another folder as `state`",
    sqlite3.SQLITE_CANTOPEN: "make its folder and the file readable and writable",
    sqlite3.SQLITE_CORRUPT: "put back a copy of it, or move it away: runs then make it anew",
    sqlite3.SQLITE_NOTADB: "put back a copy of it, or move it away: runs then make it anew",
}


def failed(error: sqlite3.Error, where: str) -> StorageError:
    """What SQLite says, as an error that a person can act on."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    other = "it may be of another version of Twinstack; use that one, or move the file away"
    return StorageError(f"SQLite: {error}", where=where, remedy=REMEDIES.get(code, other))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of SQLite in the block, about a file, as ones that a person can act on.

    Raises:
        StorageError: The file is locked, damaged or of another schema, or its disk is full.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise failed(error, str(path)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction: committed at the end of the block, undone where the block or the commit fails.

    A commit can fail, on a full disk or behind a lock. Left open, it would fail every later transaction.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite undoes some by itself
            connection.execute("ROLLBACK")
        raise


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
