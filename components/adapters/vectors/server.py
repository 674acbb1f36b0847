"""Index versions on a Milvus server: a collection a version, an alias that flips."""

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from components.adapters.vectors.contract import Entry, Found
from components.adapters.vectors.milvus import fill, search
from components.shared.errors import MissingError, TwinError

if TYPE_CHECKING:
    from components.adapters.vectors.contract import Vector

#: `USER:PASSWORD` or an API key of the server.
TOKEN = "MILVUS_TOKEN"  # noqa: S105 - the name of a variable

#: Seconds to wait for the server.
PATIENCE = 30.0

#: Between the parts of a collection's name; no name of a twin holds an underscore.
JOINT = "__"


class VectorStoreError(TwinError):
    """The vector store's server cannot be reached, or refuses."""

    exit_code = 13
    http_status = 503
    kind = "vector_store_error"


class ServerVectors:
    """Collections `twin_NAME__VERSION`, and the alias `twin_NAME` of the current one.

    A version is filled under a name of its own and renamed when it is complete: nobody finds half of it.

    Args:
        uri: `http(s)://HOST:PORT`, with the database behind it where it is not the default one.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _client(self) -> Any:
        from pymilvus import MilvusClient

        parts = urlsplit(self._uri)
        address, database = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")
        with _told(self._uri):
            return MilvusClient(address, token=os.environ.get(TOKEN, ""), db_name=database, timeout=PATIENCE)

    def exists(self, twin: str, version: str) -> bool:
        """Whether a version is complete."""
        with _told(self._uri):
            return bool(self._client.has_collection(_collection(twin, version)))

    def create(self, twin: str, version: str, batches: Iterable[Sequence[Entry]]) -> int:
        """Build a version and return how many chunks it holds.

        What a killed process left of it is dropped; a complete one is left as it is.
        """
        if self.exists(twin, version):
            return self.count(twin, version)
        name = _collection(twin, version)
        with _told(self._uri):
            for left in self._client.list_collections():
                if left.startswith(f"{name}{JOINT}"):
                    self._client.drop_collection(left)
        building = f"{name}{JOINT}{uuid.uuid4().hex}"
        try:
            with _told(self._uri):
                count = fill(self._client, building, batches, dense_index="AUTOINDEX")
                self._client.rename_collection(building, name)
        except BaseException:
            if self._client.has_collection(building):
                self._client.drop_collection(building)
            if self.exists(twin, version):  # another pod was first
                return self.count(twin, version)
            raise
        return count

    def count(self, twin: str, version: str) -> int:
        """How many chunks a version holds.

        Raises:
            MissingError: There is no such version.
        """
        name = self._complete(twin, version)
        with _told(self._uri):
            self._client.load_collection(name)
            found = self._client.query(name, output_fields=["count(*)"])
        return int(found[0]["count(*)"])

    def flip(self, twin: str, version: str) -> None:
        """Let the alias name a version, atomically."""
        name = self._complete(twin, version)
        with _told(self._uri):
            if self.current(twin) is None:
                self._client.create_alias(name, _alias(twin))
            else:
                self._client.alter_alias(name, _alias(twin))

    def current(self, twin: str) -> str | None:
        """The version that the alias names, or None before the first."""
        prefix = f"{_alias(twin)}{JOINT}"
        with _told(self._uri):
            for name in self._client.list_collections():
                if name.startswith(prefix) and _alias(twin) in self._client.list_aliases(name)["aliases"]:
                    return str(name.removeprefix(prefix))
        return None

    def open(self, twin: str, version: str) -> "ServerIndex":
        """Load a version for searching.

        Raises:
            MissingError: There is no such version.
        """
        name = self._complete(twin, version)
        with _told(self._uri):
            self._client.load_collection(name)
        return ServerIndex(self._client, name, self._uri)

    def close(self) -> None:
        """Give the connection back."""
        if "_client" in self.__dict__:
            self._client.close()

    def _complete(self, twin: str, version: str) -> str:
        if not self.exists(twin, version):
            raise MissingError(
                f"twin '{twin}' has no index version '{version}'",
                where="stores.vectors",
                remedy=f"run `twin run features --twin {twin}`",
            )
        return _collection(twin, version)


class ServerIndex:
    """A loaded collection; it stays loaded, because other processes search it too."""

    def __init__(self, client: Any, name: str, uri: str) -> None:
        self._client = client
        self._name = name
        self._uri = uri

    def dense(self, vector: "Vector", limit: int) -> list[Found]:
        """Nearest chunks by cosine similarity, best first."""
        with _told(self._uri):
            return search(self._client, self._name, vector.tolist(), "dense", limit)

    def sparse(self, text: str, limit: int) -> list[Found]:
        """Best chunks by BM25, best first."""
        with _told(self._uri):
            return search(self._client, self._name, text, "sparse", limit)

    def close(self) -> None:
        """Nothing to give back: the connection is the store's."""


def _alias(twin: str) -> str:
    return f"twin_{twin.replace('-', '_')}"


def _collection(twin: str, version: str) -> str:
    return f"{_alias(twin)}{JOINT}{version}"


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """What pymilvus raises, as an error that a person can act on."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise VectorStoreError(
            f"Milvus refuses: {error.message or error}",
            where=f"stores.vectors {uri}",
            remedy=f"check the server's address, and {TOKEN}",
        ) from error
