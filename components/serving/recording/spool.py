"""The append-only spool of one process: files of records on the local disk, bounded, never silently short."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from components.serving.recording import segments
from components.serving.recording.folders import SUFFIX, Segment, locked_folder, removed
from components.shared.config.interactions import Interactions
from components.shared.errors import TwinError

log = logging.getLogger("twinstack.serving")

#: Seconds that a look at the free bytes of the disk is good for.
FRESH = 0.25


class SpoolError(TwinError):
    """What is answered could not be kept, so nothing more is answered for now."""

    exit_code = 15
    http_status = 503
    kind = "storage_error"
    #: Seconds after which another try can succeed.
    retry_after = 5.0


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the disk of a folder; none where somebody deleted it."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        log.error("the spool's folder is gone, serve anew: %s", error)
        return 0
    return found.f_bavail * found.f_frsize


class Spool:
    """One folder of one living process, locked as long as it lives.

    A record is one `write` of the operating system, which a kill of the process cannot take back.
    Appending is safe from any thread.

    Args:
        root: Folder of the spools of all processes.
        settings: Sizes and bounds.
        free: How many bytes the disk has left.
        clock: Monotonic seconds.

    Attributes:
        appended: Records written so far.
    """

    def __init__(
        self,
        root: Path,
        settings: Interactions,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._settings = settings
        self._free = free
        self._clock = clock
        self._lock = threading.Lock()
        self.folder, self._held = locked_folder(root)
        self._closed: list[Segment] = []
        self._unsynced: list[int] = []
        self._named = False
        self._number = 0
        self._size = 0
        self._waiting = 0
        self.appended = 0
        self._looked = -FRESH
        self._failed = -FRESH
        self._enough = True
        self._ended = False
        self._file = self._open()

    def _open(self) -> int:
        path = self.folder / f"{self._number + 1:08d}{SUFFIX}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
        self._number, self._path, self._named = self._number + 1, path, False
        return file

    def append(self, payload: bytes) -> None:
        """Write a record.

        Raises:
            SpoolError: The disk did not take it; nothing of it stays.
        """
        record = segments.packed(payload)
        with self._lock:
            try:
                if self._ended:
                    raise OSError("it is closed")
                if self._size and self._size + len(record) > self._settings.segment_bytes:
                    self._rotate()
                written = os.write(self._file, record)
            except OSError as error:
                raise self._failure(error.strerror or str(error)) from error
            if written != len(record):
                self._take_back(written)
                raise self._failure("the disk is full")
            self._size += written
            self._waiting += written
            self.appended += 1

    def _take_back(self, written: int) -> None:
        """Remove a torn record; where even that fails, readers skip it."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            # It counts as one, for readers count it as damaged.
            self.appended += 1
            self._size += written
            self._waiting += written

    def _failure(self, reason: str) -> SpoolError:
        self._failed = self._clock()
        log.error("the spool cannot be written: %s", reason)
        return SpoolError(
            "what would be answered cannot be kept", where=str(self.folder), remedy="free space on its disk"
        )

    def _rotate(self) -> None:
        fresh, before = self._path, self._file
        self._file = self._open()
        self._closed.append(Segment(fresh, self._size, closed=True))
        self._unsynced.append(before)
        self._size = 0

    def admits(self) -> bool:
        """Whether a new request may begin; costs about a microsecond."""
        now = self._clock()
        if now - self._looked >= FRESH:
            self._looked = now
            self._see(self._free(self.folder))
        return self._enough and self._waiting < self._settings.max_bytes and now - self._failed >= FRESH

    def _see(self, free: int) -> None:
        """Take note of the disk's free bytes; that they no longer suffice, or do again, is logged once."""
        least = self._settings.min_free_bytes
        if self._enough and free < least:
            log.error(
                "requests are refused until there is room: the disk of %s has %d bytes free, less than "
                "serving.interactions.min_free_bytes %d", self.folder, free, least,
            )  # fmt: skip
        elif not self._enough and free >= least:
            log.info("the disk of %s has room again", self.folder)
        self._enough = free >= least

    def refusal(self) -> SpoolError:
        """What a request is told that may not begin."""
        return SpoolError(
            "the service cannot keep what it answers at the moment",
            where=str(self.folder),
            remedy="try again later; operators: bring the warehouse back, or free space on the spool's disk",
        )

    def segments(self) -> list[Segment]:
        """Every file with what it holds now, oldest first."""
        with self._lock:
            return self._closed + ([] if self._ended else [Segment(self._path, self._size, closed=False)])

    def delete(self, segment: Segment) -> None:
        """Remove a closed file; everything in it is stored."""
        segment.path.unlink(missing_ok=True)
        with self._lock:
            self._closed.remove(segment)
            self._waiting -= segment.size

    def sync(self) -> None:
        """Force to the disk what was written until now; may take as long as the disk takes.

        Raises:
            OSError: The disk did not take it. Nothing is admitted for a moment, so that somebody notices.
        """
        with self._lock:
            ended, self._unsynced = self._unsynced, []
            files, named, self._named = [*ended, os.dup(self._file)], self._named, True
        try:
            for file in files:
                os.fsync(file)
            # A file that was made is found after a power cut only if its folder is on the disk, too.
            for folder in () if named else (self.folder, self.root):
                _sync_folder(folder)
        except OSError:
            self._failed, self._named = self._clock(), False
            raise
        finally:
            for file in files:
                os.close(file)

    def close(self) -> None:
        """Append no more; what is there can still be read and deleted."""
        self.sync()
        with self._lock:
            self._ended = True
            self._closed.append(Segment(self._path, self._size, closed=True))
            os.close(self._file)

    def leave(self) -> None:
        """Let go of the folder: removed where it is empty, otherwise left for the next process."""
        if not self._closed:
            removed(self.folder)
        os.close(self._held)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
