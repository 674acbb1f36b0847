"""Folders of spools: locked as long as their process lives, taken over when it has died."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from components.shared.interactions import new_id

LOCK = "lock"
SUFFIX = ".seg"


@dataclass(frozen=True)
class Segment:
    """A file of the spool.

    Attributes:
        path: The file.
        size: Bytes that hold whole records.
        closed: Whether nothing is appended any more.
    """

    path: Path
    size: int
    closed: bool


def locked_folder(root: Path) -> tuple[Path, int]:
    """A new folder that is never seen without its lock held: it gets its name once it is locked."""
    name = f"{os.getpid()}-{new_id()}"
    aside = root / f".{name}"
    aside.mkdir(parents=True)
    held = os.open(aside / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    return aside.rename(root / name), held


def removed(folder: Path) -> None:
    """Remove a folder without segments."""
    (folder / LOCK).unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()


@dataclass(frozen=True)
class Orphan:
    """The spool of a process that has died; nobody else can take it while it is held."""

    folder: Path
    held: int

    def segments(self) -> list[Segment]:
        """Every file, oldest first."""
        found = sorted(self.folder.glob(f"*{SUFFIX}"))
        return [Segment(path, path.stat().st_size, closed=True) for path in found]

    def delete(self, segment: Segment) -> None:
        """Remove a file; everything in it is stored."""
        segment.path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Let go of the folder, and remove it where nothing is left in it."""
        if not self.segments():
            removed(self.folder)
        os.close(self.held)


def orphans(root: Path) -> list[Orphan]:
    """Take every spool whose process has died."""
    found = []
    for lock in sorted(root.glob(f"[!.]*/{LOCK}")):
        try:
            held = os.open(lock, os.O_RDWR)
        except FileNotFoundError:  # another process has just finished with it
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its process lives
            os.close(held)
            continue
        found.append(Orphan(lock.parent, held))
    return found
