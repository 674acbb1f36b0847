"""Feature store: Feast over Parquet by duckdb (history) and SQLite (newest values), a repository a version.

A feature version is immutable: its folder `<root>/<twin>/<version>/` is built whole, its marker comes last.
A server that reads one version is never in the way of a pipeline that makes the next.
Feast takes 5 s to import, so it is imported when a version is first written or read.
"""

import contextlib
import importlib
import io
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import BaseModel, ConfigDict

from components.shared.errors import DataError, MissingError
from components.shared.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd
    from feast import FeatureService, FeatureStore

#: Column of event times, UTC, in microseconds: duckdb 2 reads no other unit.
TIME = "event_timestamp"

#: Written last into the folder of a version.
MARKER = "version.json"

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


@dataclass(frozen=True)
class Reader:
    """The newest values of one feature version; keeps the store open, so a look-up is one SQLite read."""

    description: Description
    store: "FeatureStore"
    service: "FeatureService"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in the order the model sees them."""
        return self.description.features

    def lookup(self, keys: Sequence[str]) -> list[dict[str, float | None] | None]:
        """The features of entities, in the order of the keys.

        Args:
            keys: Ids of entities.

        Returns:
            For each key its values by name, None for a value that is missing; None for an unknown entity.
        """
        if not keys:
            return []
        response = self.store.get_online_features(
            features=self.service, entity_rows=[{self.description.key: key} for key in keys]
        ).proto
        columns = dict(zip(response.metadata.feature_names.val, response.results, strict=True))
        chosen = [(name, columns[name].values, columns[name].statuses) for name in self.features]
        not_found = _not_found()
        return [
            None
            if all(statuses[row] == not_found for _, _, statuses in chosen)
            else {
                name: values[row].double_val if values[row].WhichOneof("val") == "double_val" else None
                for name, values, _ in chosen
            }
            for row in range(len(keys))
        ]


def _not_found() -> int:
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

    return int(FieldStatus.NOT_FOUND)


class Features:
    """Feature versions of every twin, below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, twin: str, version: str) -> Path:
        """Folder of a feature version."""
        return self.root / twin / version

    def exists(self, twin: str, version: str) -> bool:
        """Whether a feature version is complete."""
        return (self.folder(twin, version) / MARKER).exists()

    def write(self, description: Description, table: "pd.DataFrame") -> Path:
        """Make a feature version: register it, store its history, materialize its newest values.

        What a killed process left of the version is wiped; a complete one is left as it is.

        Args:
            description: Names and meaning.
            table: Column `description.key` (text), `event_timestamp` (UTC), the features (float64).

        Returns:
            The folder of the version.
        """
        folder = self.folder(description.twin, description.version)
        if (folder / MARKER).exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        columns = [description.key, TIME, *description.features]
        table[columns].to_parquet(
            folder / OFFLINE, index=False, coerce_timestamps="us", allow_truncated_timestamps=True
        )
        store = _open(folder, description.twin)
        store.apply(_objects(folder, description))
        # A margin on both sides: no row depends on how the ends of a window are treated.
        margin = timedelta(seconds=1)
        start, end = table[TIME].min().to_pydatetime() - margin, table[TIME].max().to_pydatetime() + margin
        # Feast prints a coloured report.
        with _duckdb(), contextlib.redirect_stdout(io.StringIO()):
            store.materialize(start, end)
        write_atomic(folder / MARKER, description.model_dump_json(indent=2))
        return folder

    def history(self, twin: str, version: str, entities: "pd.DataFrame") -> "pd.DataFrame":
        """Point-in-time join: for each entity the newest values that were known at its time.

        Args:
            twin: Name of the twin.
            version: The feature version.
            entities: The key column (text), `event_timestamp` (UTC), and any columns to carry along.

        Returns:
            The rows of `entities`, in no promised order, with the features behind; NaN where none was known.
        """
        folder, description = self._described(twin, version)
        store = _open(folder, twin)
        service = store.get_feature_service(description.twin)
        with _duckdb():
            joined: pd.DataFrame = store.get_historical_features(entity_df=entities, features=service).to_df()
        if len(joined) != len(entities):
            raise DataError(
                f"the join made {len(joined)} rows of {len(entities)}",
                where=f"feature version {version}",
                remedy="report it: rows may neither vanish nor double",
            )
        return joined[[*entities.columns, *description.features]]

    def online(self, version: str, twin: str) -> Reader:
        """A reader of the newest values; make it once and keep it.

        Args:
            version: A feature version, or the folder or `file://` URI of one.
            twin: Name of the twin.
        """
        place = Path(url2pathname(urlsplit(version).path)) if "/" in version else None
        folder, description = self._described(twin, place.name if place else version, place)
        store = _open(folder, twin)
        reader = Reader(description, store, store.get_feature_service(twin))
        with warnings.catch_warnings():
            # A Feast model of a store that is not used here shadows a field of its own parent.
            warnings.filterwarnings("ignore", message='Field name "vector_enabled"', category=UserWarning)
            # Feast imports and opens much at the first look-up: not while a request waits.
            reader.lookup(["no such entity"])
        return reader

    def _described(self, twin: str, version: str, place: Path | None = None) -> tuple[Path, Description]:
        folder = place or self.folder(twin, version)
        try:
            return folder, Description.model_validate_json((folder / MARKER).read_bytes())
        except FileNotFoundError as error:
            raise MissingError(
                f"twin '{twin}' has no feature version '{version}'",
                where=str(folder),
                remedy=f"run `twin run features --twin {twin}`",
            ) from error


@contextlib.contextmanager
def _duckdb() -> Iterator[None]:
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


def _import_feast() -> None:
    """Import Feast without letting it move this process's metrics into a temporary folder of its own.

    Feast sets these variables when it is imported; prometheus_client reads them when it is.
    """
    import prometheus_client  # noqa: F401 - before Feast, so that our own setting counts

    names = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")
    before = {name: os.environ.get(name) for name in names}
    importlib.import_module("feast")
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _open(folder: Path, twin: str) -> "FeatureStore":
    _import_feast()
    from feast import FeatureStore, RepoConfig

    config: Mapping[str, Any] = {
        "project": twin.replace("-", "_"),
        "provider": "local",
        # Written once, so there is nothing to look for again.
        "registry": {"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
        "offline_store": {"type": "duckdb"},
        "online_store": {"type": "sqlite", "path": str(folder / "online.db")},
        "entity_key_serialization_version": 3,
    }
    return FeatureStore(config=RepoConfig(**config))


def _objects(folder: Path, description: Description) -> list[Any]:
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
