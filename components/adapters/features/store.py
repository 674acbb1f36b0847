"""Feature store: Feast over Parquet by duckdb (history) and SQLite (newest values), a repository a version.

A feature version is immutable: its folder `<root>/<twin>/<version>/` is built whole, its marker comes last.
A server that reads one version is never in the way of a pipeline that makes the next.
Feast takes a second to import, so it is imported when a version is first written or read.
"""

import contextlib
import io
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from components.adapters.features.repository import (
    OFFLINE,
    TIME,
    Description,
    definitions,
    duckdb_session,
    not_found,
    open_store,
)
from components.shared.errors import DataError, MissingError
from components.shared.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd
    from feast import FeatureService, FeatureStore

#: Written last into the folder of a version.
MARKER = "version.json"


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
        chosen = [(name, columns[name]) for name in self.features]
        absent = not_found()
        return [
            None
            # Feast on Redis gives an unknown entity values without a time, and no status that says so.
            if all(one.statuses[row] == absent or not one.event_timestamps[row].seconds for _, one in chosen)
            else {
                name: one.values[row].double_val
                if one.values[row].WhichOneof("val") == "double_val"
                else None
                for name, one in chosen
            }
            for row in range(len(keys))
        ]


class Features:
    """Feature versions of every twin, below one folder.

    Args:
        root: The folder.
        online: URI of a Redis server for the newest values; files in the folder where not given.
    """

    def __init__(self, root: Path, online: str = "") -> None:
        self.root = root
        self._online = online

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
        store = open_store(folder, description, self._online)
        store.apply(definitions(folder, description))
        # A margin on both sides: no row depends on how the ends of a window are treated.
        margin = timedelta(seconds=1)
        start, end = table[TIME].min().to_pydatetime() - margin, table[TIME].max().to_pydatetime() + margin
        # Feast prints a coloured report.
        with duckdb_session(), contextlib.redirect_stdout(io.StringIO()):
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
        store = open_store(folder, description, self._online)
        service = store.get_feature_service(description.twin)
        with duckdb_session():
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
        store = open_store(folder, description, self._online)
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
