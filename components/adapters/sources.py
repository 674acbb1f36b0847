"""Where documents come from: the last commit of a repository, or a folder as it is."""

import os
import posixpath
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pathspec import GitIgnoreSpec

from components.shared import digest
from components.shared.config.llm import DocumentSource, FolderSource, GitSource
from components.shared.errors import DataError
from components.shared.files import locked

#: Ref of a fetched commit.
FETCHED = "refs/twinstack/fetched"

#: Options of git: a server that sends less than a byte a second for a minute is given up.
IMPATIENT = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60")


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
    """Files of one commit; blob names serve as digests, so an unchanged file is never read.

    Args:
        root: A checkout, or a folder inside one; with a URL the folder that fetched repositories are kept in.
        source: What is read of it.

    Raises:
        DataError: There is no such repository, commit or folder.
    """

    def __init__(self, root: Path, source: GitSource) -> None:
        self.source = source
        self.root = self._fetched(root) if source.url else root
        ref = FETCHED if source.url else source.ref
        self.revision = self._git("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()
        inside = source.path if source.url else self._git("rev-parse", "--show-prefix").decode().strip()
        # Git knows neither `.` nor `./docs` inside a commit.
        folder = posixpath.normpath(inside or ".").removeprefix(".")
        self._tree = self._git("rev-parse", "--verify", f"{self.revision}:{folder}").decode().strip()
        self._blobs: dict[str, str] = {}

    def _git(self, *words: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - fixed program, no shell; ref and url are checked by patterns
                ["git", "-C", str(self.root), *IMPATIENT, *words],  # noqa: S607
                capture_output=True,
                check=False,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            )
        except FileNotFoundError as error:
            raise DataError("git is not installed", remedy="install git") from error
        if done.returncode:
            place = f"{self.source.url}, path {self.source.path}" if self.source.url else f"path {self.root}"
            raise DataError(
                f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()}",
                where=f"source git, {place}, ref {self.source.ref}",
                remedy="name a checkout or a `url` that has this ref and path; in a pod, which has no "
                "checkout, type `folder` takes the files of its image",
            )
        return done.stdout

    def _fetched(self, kept: Path) -> Path:
        """A repository that holds the one commit; what was fetched before is not fetched again."""
        self.root = kept / digest.of_json([self.source.url, self.source.ref])
        self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "twinstack.lock"):
            self._git("init", "--quiet", "--bare")
            wanted = f"{self.source.ref}:{FETCHED}"
            options = ("--quiet", "--depth=1", "--no-tags", "--force")
            self._git("fetch", *options, "--", self.source.url, wanted)
        return self.root

    def entries(self) -> list[Entry]:
        """Regular files of the commit below `path` that match; names are relative to it."""
        spec, found = matcher(self.source), []
        for line in self._git("ls-tree", "--full-tree", "-r", "-z", "-l", self._tree).split(b"\0"):
            if not line:
                continue
            head, raw_path = line.split(b"\t", 1)
            mode, _, blob, size = head.split()
            path = raw_path.decode(errors="replace")
            if mode.startswith(b"100") and spec.match_file(path):
                found.append(Entry(path, blob.decode(), int(size)))
        self._blobs = {entry.path: entry.digest for entry in found}
        return sorted(found, key=lambda entry: entry.path)

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of each that `entries` named, through one `git cat-file`."""
        with subprocess.Popen(  # noqa: S603 - fixed program, no shell
            ["git", "-C", str(self.root), "cat-file", "--batch"],  # noqa: S607
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as git:
            assert git.stdin and git.stdout
            for path in paths:
                # By its name: a path may hold a line break.
                git.stdin.write(f"{self._blobs[path]}\n".encode())
                git.stdin.flush()
                *_, kind, size = git.stdout.readline().split() or (b"", b"missing")
                if kind != b"blob":
                    raise DataError(f"git does not give {path}", where=str(self.root), remedy="run git fsck")
                yield path, git.stdout.read(int(size))
                git.stdout.read(1)  # the line's end after the content


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
                if not _is_utf8(name):
                    raise DataError(
                        f"the name of file {name!a} is not UTF-8",
                        where=str(self.root),
                        remedy="rename it, or `exclude` it",
                    )
                with self._readable(name):
                    found.append(Entry(name, digest.of_file(path), path.stat().st_size))
        return found

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of each."""
        for path in paths:
            with self._readable(path):
                content = (self.root / path).read_bytes()
            yield path, content

    @contextmanager
    def _readable(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"cannot read {name}: {error.strerror}",
                where=str(self.root),
                remedy="make it readable, or `exclude` it; nothing was collected",
            ) from error


def _is_utf8(name: str) -> bool:
    """Whether a name of the file system is text; its other bytes come as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_source(source: GitSource | FolderSource, root: Path, kept: Path) -> Reader:
    """The reader of a source.

    Args:
        source: What is read.
        root: Absolute path of the source.
        kept: Where fetched repositories are kept.
    """
    if isinstance(source, GitSource):
        return GitReader(kept if source.url else root, source)
    return FolderReader(root, source)
