"""One base error: what happened; where; what to do."""

import errno
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Most characters of an answer's message, and of its field: a field that nobody knows may have any name.
MESSAGE, PARAM = 1_000, 200

#: What a file system says where nothing can be written.
UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)

#: What it says where no space is left; a file that was open already is not named then.
FULL = (errno.ENOSPC, errno.EDQUOT)

#: HTTP statuses that say when to come back, and who is asked for a key.
BUSY, UNAUTHORIZED = (429, 503), 401


class TwinError(Exception):
    """An error a person can act on.

    Args:
        what: What happened, naming field and value.
        where: The place: a file and line, a configuration path, a stage.
        remedy: What to do about it.
    """

    #: Exit code of the command line, and HTTP status of the services.
    exit_code = 1
    http_status = 500
    #: `error.type` in HTTP answers.
    kind = "internal_error"
    #: Seconds after which another try can succeed, where the status tells a caller to come back.
    retry_after = 1.0

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__("; ".join(part for part in (what, where, remedy) if part))

    def answer(self, request_id: str) -> dict[str, Any]:
        """The error as the JSON of an HTTP answer. `where` stays inside: it may name a path of a machine."""
        return {
            "error": {
                "message": _said("; ".join(part for part in (self.what, self.remedy) if part), MESSAGE),
                "type": self.kind,
                "param": _said(getattr(self, "param", ""), PARAM) or None,
                "request_id": request_id,
            }
        }

    def headers(self) -> dict[str, str]:
        """Headers of the HTTP answer that belong to its status."""
        if self.http_status in BUSY:
            return {"retry-after": str(max(1, math.ceil(self.retry_after)))}
        return {"www-authenticate": "Bearer"} if self.http_status == UNAUTHORIZED else {}


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End the program by an error of the block: one line on standard error, and the error's exit code."""
    try:
        yield
    except TwinError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if (found := storage_error(error)) is None:
            raise
        sys.stderr.write(f"error: {found}\n")
        sys.exit(found.exit_code)


def _said(text: str, most: int) -> str:
    """A text that may quote a caller: cut, and without half of a surrogate pair, which UTF-8 cannot hold."""
    found = text.encode("utf-8", "replace").decode()
    return found if len(found) <= most else f"{found[: most - 1]}…"


class ConfigError(TwinError):
    """The configuration cannot be used."""

    exit_code = 2
    http_status = 500
    kind = "configuration_error"


class StorageError(TwinError):
    """A file of the state folder cannot be used: its disk is full, or it is locked or damaged."""

    http_status = 503
    kind = "storage_error"


def storage_error(error: OSError) -> StorageError | None:
    """What a file system refuses, as an error that a person can act on; None where it says something else."""
    full = error.errno in FULL
    if not full and (error.errno not in UNUSABLE or not error.filename):
        return None
    return StorageError(
        f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror),
        remedy="free space on its disk, then run the same again: what was finished is kept"
        if full
        else "make it writable, free space on its disk, or name another folder as `state`",
    )


class DataError(TwinError):
    """A source, a file or a row cannot be used; nothing was written."""

    exit_code = 3
    http_status = 422
    kind = "data_error"


class RequestError(TwinError):
    """A caller's request cannot be answered as it is.

    Args:
        param: The field of the request that is wrong.
    """

    exit_code = 4
    http_status = 400
    kind = "invalid_request_error"

    def __init__(self, what: str, *, param: str = "", where: str = "", remedy: str = "") -> None:
        self.param = param
        super().__init__(what, where=where, remedy=remedy)


class NotFoundError(RequestError):
    """The thing a caller names does not exist."""

    http_status = 404
    kind = "not_found_error"


class TooLargeError(RequestError):
    """The request is larger than the service accepts."""

    http_status = 413
    kind = "request_too_large"


class UnknownTwinError(ConfigError):
    """There is no twin of this name."""

    http_status = 404
    kind = "not_found_error"
    param = "twin"


class LineageError(TwinError):
    """The provenance of what would be made cannot be recorded."""

    exit_code = 5
    kind = "lineage_error"


class MissingError(TwinError):
    """Something an earlier step makes is not there yet."""

    exit_code = 6
    http_status = 503
    kind = "not_ready_error"


class ServerRefusedError(TwinError):
    """A server that this one asks refuses, or cannot be reached.

    Args:
        code: HTTP status; 0 where there was no answer.
    """

    http_status = 502

    def __init__(self, what: str, *, where: str = "", remedy: str = "", code: int = 0) -> None:
        self.code = code
        super().__init__(what, where=where, remedy=remedy)


class PipelinesError(ServerRefusedError):
    """The Kubeflow Pipelines server refuses what was asked of it, or cannot be reached."""

    exit_code = 20
    kind = "pipelines_error"


class RunFailedError(TwinError):
    """A run on a cluster ended without success."""

    exit_code = 21
    kind = "run_failed_error"


class NotReleasedError(TwinError):
    """The gate does not release a candidate: it asks a person, or blocks."""

    exit_code = 23
    kind = "not_released_error"
