"""Where documents come from: the last commit of a local checkout, or a folder as it is."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pathspec import GitIgnoreSpec

from components.shared import digest
from components.shared.config.llm import DocumentSource, FolderSource, GitSource
from components.shared.errors import DataError


@dataclass(frozen=True)
class Entry:
    """A document that a source offers."""

    path: str
    digest: str
    size: int


class Reader(Protocol):
    """A source of documents."""

    #: Commit, or a word for "as it is".
    revision: str

    def entries(self) -> list[Entry]:
        """Every document of the source, by path, without reading more than is needed to name its content."""

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of each."""


def matcher(source: DocumentSource) -> GitIgnoreSpec:
    """The include patterns less the exclude patterns, in the manner of .gitignore."""
    return GitIgnoreSpec.from_lines([*source.include, *(f"!{one}" for one in source.exclude)])


class GitReader:
    """Files of one commit; blob names serve as digests, so an unchanged file is never read."""

    def __init__(self, root: Path, source: GitSource) -> None:
        self.root = root
        self.source = source
        self.revision = self._git("rev-parse", "--verify", f"{source.ref}^{{commit}}").decode().strip()

    def _git(self, *words: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - fixed program, no shell; ref is checked by its pattern
                ["git", "-C", str(self.root), *words],  # noqa: S607
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise DataError("git is not installed", remedy="install git") from error
        if done.returncode:
            raise DataError(
                f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()}",
                where=f"source git, path {self.root}, ref {self.source.ref}",
                remedy="name a local checkout that has this ref",
            )
        return done.stdout

    def entries(self) -> list[Entry]:
        """Regular files of the commit below `path` that match."""
        spec, found = matcher(self.source), []
        for line in self._git("ls-tree", "-r", "-z", "-l", self.revision).split(b"\0"):
            if not line:
                continue
            head, raw_path = line.split(b"\t", 1)
            mode, _, blob, size = head.split()
            path = raw_path.decode(errors="replace")
            if mode.startswith(b"100") and spec.match_file(path):
                found.append(Entry(path, blob.decode(), int(size)))
        return sorted(found, key=lambda entry: entry.path)

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of each, through one `git cat-file`."""
        for path in paths:
            yield path, self._git("cat-file", "blob", f"{self.revision}:{path}")


class FolderReader:
    """Files below a folder, as they are."""

    revision = "as it is"

    def __init__(self, root: Path, source: FolderSource) -> None:
        self.root = root
        self.source = source
        if not root.is_dir():
            raise DataError(
                f"folder '{root}' does not exist",
                where="source folder, path",
                remedy="name an existing folder",
            )

    def entries(self) -> list[Entry]:
        """Regular files below the folder that match; links are not followed."""
        spec, found = matcher(self.source), []
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not path.is_symlink() and spec.match_file(name):
                found.append(Entry(name, digest.of_file(path), path.stat().st_size))
        return found

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of each."""
        for path in paths:
            yield path, (self.root / path).read_bytes()


def open_source(source: GitSource | FolderSource, root: Path) -> Reader:
    """The reader of a source; `root` is its absolute path."""
    if isinstance(source, GitSource):
        return GitReader(root, source)
    return FolderReader(root, source)
