"""One Feast repository: how it is configured, defined and opened, and what Feast needs to behave."""

import contextlib
import functools
import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from feast import FeatureStore

#: Column of event times, UTC, in microseconds: duckdb 2 reads no other unit.
TIME = "event_timestamp"

#: Offline values inside the folder of a version.
OFFLINE = "features.parquet"

FEATURE_VIEW = "features"


class Description(BaseModel):
    """What one feature version holds.

    Attributes:
        twin: Name of the twin; also the name of the feature service.
        version: The feature version.
        key: Name of the entity and of its column.
        features: Names, in the order the model sees them.
        documentation: Feature to what it means.
        tags: Feature to its tags, for example its unit.
        ttl_days: How old a value may be at the time it is joined to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    twin: str
    version: str
    key: str
    features: tuple[str, ...]
    documentation: dict[str, str] = {}
    tags: dict[str, dict[str, str]] = {}
    ttl_days: int


def not_found() -> int:
    """Feast's status of a value that no entity has."""
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

    return int(FieldStatus.NOT_FOUND)


@contextlib.contextmanager
def duckdb_session() -> Iterator[None]:
    """Let go of duckdb when a query is through.

    Feast leaves one connection of ibis open for good, where every query adds a view, and which
    duckdb reports as pages of leaks when the process ends.
    """
    try:
        with warnings.catch_warnings():
            # ibis calls a method that duckdb 2 renamed.
            warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)
            yield
    finally:
        import ibis  # type: ignore[import-untyped]

        backend, ibis.options.default_backend = ibis.options.default_backend, None
        if backend is not None:
            backend.disconnect()


def import_feast() -> None:
    """Import Feast without letting it move this process's metrics into a temporary folder of its own.

    Feast sets these variables when it is imported; prometheus_client reads them when it is.
    """
    import prometheus_client  # noqa: F401 - before Feast, so that our own setting counts

    names = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")
    before = {name: os.environ.get(name) for name in names}
    with _light():
        importlib.import_module("feast")
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _light() -> Iterator[None]:
    """Spare Feast's import three quarters of its time.

    Half of it is typeguard writing checks of arguments into its classes, which every look-up would then pay
    for; a quarter is PyTorch, which Feast needs only for tensors: it gets it when it asks.
    """
    import typeguard

    wrapper = ModuleType("feast.torch_wrapper")
    vars(wrapper)["get_torch"] = functools.partial(importlib.import_module, "torch")
    sys.modules.setdefault(wrapper.__name__, wrapper)
    before = vars(typeguard)["typechecked"]
    vars(typeguard)["typechecked"] = lambda target: target
    try:
        yield
    finally:
        vars(typeguard)["typechecked"] = before


def redis(uri: str) -> dict[str, Any]:
    """Feast's settings of a Redis server; the password comes from `REDIS_PASSWORD`.

    Args:
        uri: `redis://HOST:PORT/DATABASE`, or `rediss://…` for TLS.
    """
    parts = urlsplit(uri)
    words = [f"{parts.hostname}:{parts.port or 6379}", f"db={parts.path.strip('/') or 0}"]
    words += ["ssl=true"] if parts.scheme == "rediss" else []
    words += [f"username={parts.username}"] if parts.username else []
    words += [f"password={password}"] if (password := os.environ.get("REDIS_PASSWORD")) else []
    return {"type": "redis", "connection_string": ",".join(words)}


def open_store(folder: Path, description: "Description", online: str = "") -> "FeatureStore":
    """The store of a repository folder.

    Args:
        folder: Of one feature version.
        description: Of this version.
        online: URI of a Redis server that holds the newest values; a file in the folder where not given.
    """
    import_feast()
    from feast import FeatureStore, RepoConfig

    project = description.twin.replace("-", "_")
    config: Mapping[str, Any] = {
        # One server holds every version; Feast tells them apart by project.
        "project": project if not online else f"{project}_{description.version}",
        "provider": "local",
        # Written once, so there is nothing to look for again.
        "registry": {"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
        "offline_store": {"type": "duckdb"},
        "online_store": redis(online) if online else {"type": "sqlite", "path": str(folder / "online.db")},
        "entity_key_serialization_version": 3,
    }
    return FeatureStore(config=RepoConfig(**config))


def definitions(folder: Path, description: Description) -> list[Any]:
    """Entity, feature view and feature service of a feature version."""
    from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64

    entity = Entity(name=description.key, join_keys=[description.key], value_type=ValueType.STRING)
    fields = [
        Field(
            name=name,
            dtype=Float64,
            description=description.documentation.get(name, ""),
            tags=description.tags.get(name, {}),
        )
        for name in description.features
    ]
    view = FeatureView(
        name=FEATURE_VIEW,
        entities=[entity],
        ttl=timedelta(days=description.ttl_days),
        schema=fields,
        source=FileSource(path=str(folder / OFFLINE), timestamp_field=TIME),
        online=True,
    )
    service = FeatureService(name=description.twin, features=[view], tags={"version": description.version})
    return [entity, view, service]
