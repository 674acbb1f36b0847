"""Index versions in Milvus Lite: one database a version.

Milvus Lite lets one process open a database. So a reader opens a private copy of a version, which is complete
and never changes: the pipeline builds the next version while a server answers from this one.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.adapters.vectors.contract import Entry, Found
from components.adapters.vectors.milvus import fill, search
from components.shared import digest, sums
from components.shared.errors import DataError, MissingError
from components.shared.files import locked, write_atomic

if TYPE_CHECKING:
    from components.adapters.vectors.contract import Vector

COLLECTION = "chunks"
DATABASE = "index.db"
#: Written last into the folder of a version.
MARKER = "complete.json"
ALIAS = "alias.json"
#: Of the process that has a database open.
LOCK = "LOCK"


class EmbeddedVectors:
    """Versions below one folder: `<twin>/<version>/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _folder(self, twin: str, version: str) -> Path:
        return self.root / twin / version

    def exists(self, twin: str, version: str) -> bool:
        """Whether a version is complete, and every byte of it as it was made."""
        folder = self._folder(twin, version)
        return (folder / MARKER).exists() and not _harmed(folder)

    def create(self, twin: str, version: str, batches: Iterable[Sequence[Entry]]) -> int:
        """Build a version and return how many chunks it holds.

        What a killed process left of it is wiped, and so is one whose files were harmed since; a complete one
        is left as it is.
        """
        folder = self._folder(twin, version)
        with locked(self.root / ".locks" / f"{twin}-{version}"):
            if self.exists(twin, version):
                return self.count(twin, version)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            client = _connect(folder / DATABASE)
            try:
                count = fill(client, COLLECTION, batches, dense_index="FLAT")
            finally:
                client.close()
            sums.write(folder, _settled(folder))
            write_atomic(folder / MARKER, json.dumps({"chunks": count}))
        return count

    def count(self, twin: str, version: str) -> int:
        """How many chunks a version holds.

        Raises:
            MissingError: There is no such version.
        """
        path = self._folder(twin, version) / MARKER
        if not path.exists():
            raise MissingError(
                f"twin '{twin}' has no index version '{version}'",
                where=str(path.parent),
                remedy=f"run `twin run features --twin {twin}`",
            )
        return int(json.loads(path.read_text(encoding="utf-8"))["chunks"])

    def flip(self, twin: str, version: str) -> None:
        """Let the alias name a version, atomically."""
        self.count(twin, version)
        write_atomic(self.root / twin / ALIAS, json.dumps({"version": version}))

    def current(self, twin: str) -> str | None:
        """The version that the alias names, or None before the first."""
        path = self.root / twin / ALIAS
        return str(json.loads(path.read_text(encoding="utf-8"))["version"]) if path.exists() else None

    def open(self, twin: str, version: str) -> "EmbeddedIndex":
        """Open a private copy of a version for searching.

        Raises:
            DataError: Its files were changed or lost since it was made.
            MissingError: There is no such version.
        """
        self.count(twin, version)
        if harmed := _harmed(self._folder(twin, version)):
            raise DataError(
                f"index version '{version}' was harmed since it was made: {harmed}",
                where=str(self._folder(twin, version)),
                remedy=f"run `twin run features --twin {twin}`, which builds the newest version anew, or "
                "promote another release",
            )
        copy = tempfile.TemporaryDirectory(prefix="twinstack-index-")
        shutil.copytree(
            self._folder(twin, version) / DATABASE,
            Path(copy.name) / DATABASE,
            ignore=shutil.ignore_patterns(LOCK),
        )
        return EmbeddedIndex(copy)


class EmbeddedIndex:
    """A private copy of an index version; removed when it is closed. Searches wait for each other."""

    def __init__(self, copy: "tempfile.TemporaryDirectory[str]") -> None:
        self._copy = copy
        self._lock = threading.Lock()
        self._client = _connect(Path(copy.name) / DATABASE)
        self._client.load_collection(COLLECTION)

    def dense(self, vector: "Vector", limit: int) -> list[Found]:
        """Nearest chunks by cosine similarity, best first."""
        with self._lock:
            return search(self._client, COLLECTION, vector.tolist(), "dense", limit)

    def sparse(self, text: str, limit: int) -> list[Found]:
        """Best chunks by BM25, best first."""
        with self._lock:
            return search(self._client, COLLECTION, text, "sparse", limit)

    def close(self) -> None:
        """Close the database and remove the copy."""
        self._client.close()
        self._copy.cleanup()


def _settled(folder: Path) -> dict[str, str]:
    """SHA-256 of the data's files; indexes over them Milvus Lite may still write after `close`."""
    files = [*folder.rglob("*.parquet"), *folder.rglob("schema.json")]
    return {path.relative_to(folder).as_posix(): digest.whole(path) for path in files}


def _harmed(folder: Path) -> str:
    """Which files of a complete version are not what was made; empty where all are."""
    try:
        return ", ".join(sums.changed(folder))
    except FileNotFoundError as error:
        return f"{Path(error.filename).relative_to(folder)} is gone"


def _connect(path: Path) -> Any:
    from pymilvus import MilvusClient

    return MilvusClient(str(path))
