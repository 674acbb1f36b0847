"""Content names: the same content has the same name, on every machine."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent

#: Hex characters of a name; 64 bits, so a collision among 1e6 names has a chance of about 3e-8.
SIZE = 16


def of_bytes(content: bytes) -> str:
    """Name of raw bytes."""
    return hashlib.sha256(content).hexdigest()[:SIZE]


def of_text(text: str) -> str:
    """Name of a text, by its UTF-8 bytes."""
    return of_bytes(text.encode())


def of_json(value: Any) -> str:
    """Name of a JSON-like value; key order does not matter."""
    return of_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def whole(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_file(path: Path) -> str:
    """Name of a file."""
    return whole(path)[:SIZE]


def of_files(folder: Path, *, leave_out: Iterable[str] = ()) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path, sorted."""
    skipped = set(leave_out)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in skipped)
    return {path.relative_to(folder).as_posix(): whole(path) for path in files}


def of_folder(folder: Path, *, leave_out: Iterable[str] = ()) -> str:
    """Name of every file below a folder, by relative path and content."""
    return of_digests(of_files(folder, leave_out=leave_out))


def of_digests(files: Mapping[str, str]) -> str:
    """Name of files by relative path and SHA-256; the same as of the folder that they lie in."""
    return of_json([[path, found[:SIZE]] for path, found in files.items()])


@cache
def of_code(*packages: str) -> str:
    """Name of the source code of packages below `components`, so that changed code is run again."""
    files = sorted(path for package in packages for path in (PACKAGE / package).rglob("*.py"))
    return of_json([[path.relative_to(PACKAGE).as_posix(), of_file(path)] for path in files])
