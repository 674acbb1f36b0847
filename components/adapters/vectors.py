"""Index versions in Milvus Lite: one database a version, immutable once complete, an alias that flips.

Milvus Lite lets one process open a database. So a reader opens a private copy of a version, which is complete
and never changes: the pipeline builds the next version while a server answers from this one.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from components.shared.errors import MissingError
from components.shared.files import locked, write_atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

COLLECTION = "chunks"
DATABASE = "index.db"
#: Written last into the folder of a version.
MARKER = "complete.json"
ALIAS = "alias.json"

#: Longest text that Milvus stores in a field, in bytes.
LONGEST = 65_535
#: Bytes of an id, a path, a heading.
NAME = 1_024


@dataclass(frozen=True)
class Entry:
    """A chunk with its vector, as it goes into an index."""

    chunk_id: str
    path: str
    heading: str
    text: str
    vector: "Vector"


@dataclass(frozen=True)
class Found:
    """A chunk that a search found.

    Attributes:
        score: Cosine similarity of the dense search; of BM25 the larger the better.
    """

    chunk_id: str
    path: str
    heading: str
    text: str
    score: float


class Index(Protocol):
    """An open index version."""

    def dense(self, vector: "Vector", limit: int) -> list[Found]:
        """Nearest chunks by cosine similarity, best first."""

    def sparse(self, text: str, limit: int) -> list[Found]:
        """Best chunks by BM25, best first."""

    def close(self) -> None:
        """Give back what the index holds."""


class Vectors(Protocol):
    """Index versions of every twin."""

    def exists(self, twin: str, version: str) -> bool:
        """Whether a version is complete."""

    def create(self, twin: str, version: str, batches: Iterable[Sequence[Entry]]) -> int:
        """Build a version and return how many chunks it holds; a complete one is left as it is."""

    def count(self, twin: str, version: str) -> int:
        """How many chunks a version holds."""

    def flip(self, twin: str, version: str) -> None:
        """Let the alias name a version, atomically."""

    def current(self, twin: str) -> str | None:
        """The version that the alias names, or None before the first."""

    def open(self, twin: str, version: str) -> Index:
        """Open a version for searching."""


class EmbeddedVectors:
    """Versions below one folder: `<twin>/<version>/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _folder(self, twin: str, version: str) -> Path:
        return self.root / twin / version

    def exists(self, twin: str, version: str) -> bool:
        """Whether a version is complete."""
        return (self._folder(twin, version) / MARKER).exists()

    def create(self, twin: str, version: str, batches: Iterable[Sequence[Entry]]) -> int:
        """Build a version and return how many chunks it holds.

        What a killed process left of it is wiped; a complete one is left as it is.
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
            MissingError: There is no such version.
        """
        self.count(twin, version)
        copy = tempfile.TemporaryDirectory(prefix="twinstack-index-")
        shutil.copytree(
            self._folder(twin, version) / DATABASE,
            Path(copy.name) / DATABASE,
            ignore=shutil.ignore_patterns("LOCK"),
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


def search(client: Any, collection: str, asked: Any, field: str, limit: int) -> list[Found]:
    """Best chunks of a loaded collection, best first, by its field `dense` or `sparse`."""
    fields = ["path", "heading", "text"]
    hits = client.search(collection, data=[asked], anns_field=field, limit=limit, output_fields=fields)
    return [
        Found(
            chunk_id=hit["chunk_id"],
            path=hit["entity"]["path"],
            heading=hit["entity"]["heading"],
            text=hit["entity"]["text"],
            # BM25 scores are positive on Milvus and negative on Milvus Lite.
            score=float(hit["distance"]) if field == "dense" else abs(float(hit["distance"])),
        )
        for hit in hits[0]
    ]


def fill(client: Any, collection: str, batches: Iterable[Sequence[Entry]], *, dense_index: str) -> int:
    """Make a collection and fill it; how many chunks it holds."""
    count = 0
    for batch in batches:
        if not count:
            _define(client, collection, len(batch[0].vector), dense_index)
        client.insert(collection, [_row(one) for one in batch])
        count += len(batch)
    client.flush(collection)  # unflushed rows are searched very slowly
    return count


def _connect(path: Path) -> Any:
    from pymilvus import MilvusClient

    return MilvusClient(str(path))


def _define(client: Any, collection: str, dimensions: int, dense_index: str) -> None:
    from pymilvus import DataType, Function, FunctionType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=NAME)
    schema.add_field("path", DataType.VARCHAR, max_length=NAME)
    schema.add_field("heading", DataType.VARCHAR, max_length=NAME)
    schema.add_field("text", DataType.VARCHAR, max_length=LONGEST)
    # BM25 sees the heading too; the answer is made from the text alone.
    schema.add_field("searched", DataType.VARCHAR, max_length=LONGEST, enable_analyzer=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimensions)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["searched"],
            output_field_names=["sparse"],
        )
    )
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type=dense_index, metric_type="COSINE")
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(collection, schema=schema, index_params=indexes)


def _row(one: Entry) -> dict[str, Any]:
    row = asdict(one)
    vector = row.pop("vector")
    row["heading"] = _cut(row["heading"], NAME)
    row["text"] = _cut(row["text"], LONGEST)
    searched = _cut(f"{row['path']} {row['heading']}\n{row['text']}", LONGEST)
    return {**row, "searched": searched, "dense": vector.tolist()}


def _cut(text: str, limit: int) -> str:
    """The longest start of a text that fits, in bytes of UTF-8."""
    return text.encode()[:limit].decode(errors="ignore")
