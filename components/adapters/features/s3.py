"""Feature store whose history lies in object storage, and whose newest values a Redis server holds."""

from pathlib import Path
from typing import TYPE_CHECKING

from components.adapters import objects
from components.adapters.features.repository import OFFLINE, Description, definitions, open_store
from components.adapters.features.store import MARKER, Features
from components.shared.errors import ConfigError, MissingError
from components.shared.files import locked, write_atomic

if TYPE_CHECKING:
    import pandas as pd

#: Feast's registry inside the folder of a version; it names local paths, so every machine makes its own.
REGISTRY = "registry.db"


class S3Features(Features):
    """Feature versions below `s3://BUCKET/PREFIX/<twin>/<version>/`: the history, then the marker.

    A stage that joins fetches the history once; a front that looks up the newest values fetches no history.

    Args:
        uri: `s3://BUCKET/PREFIX`.
        cache: Local folder of fetched versions.
        online: URI of the Redis server.

    Raises:
        ConfigError: No Redis server is named: pods share no file.
    """

    def __init__(self, uri: str, cache: Path, online: str) -> None:
        if not online:
            raise ConfigError(
                "features in object storage need a server for the newest values",
                where="stores.features",
                remedy="add ?online=redis://HOST:PORT/DATABASE",
            )
        super().__init__(cache, online)
        self._uri = uri

    def exists(self, twin: str, version: str) -> bool:
        """Whether a feature version is complete."""
        return objects.read(f"{self._uri}/{twin}/{version}/{MARKER}") is not None

    def write(self, description: Description, table: "pd.DataFrame") -> Path:
        """Make a feature version; the marker comes last, so that nobody finds half of it."""
        place = f"{self._uri}/{description.twin}/{description.version}"
        folder = self.folder(description.twin, description.version)
        if self.exists(description.twin, description.version):
            return folder
        (folder / MARKER).unlink(missing_ok=True)  # Redis may have lost what an earlier try wrote
        super().write(description, table)
        objects.put_file(folder / OFFLINE, f"{place}/{OFFLINE}")
        objects.write(f"{place}/{MARKER}", (folder / MARKER).read_bytes())
        return folder

    def history(self, twin: str, version: str, entities: "pd.DataFrame") -> "pd.DataFrame":
        """Point-in-time join, see `Features.history`."""
        folder, _ = self._described(twin, version)
        with locked(self._lock(twin, version)):
            if not (folder / OFFLINE).exists():
                objects.get_file(f"{self._uri}/{twin}/{version}/{OFFLINE}", folder / OFFLINE)
        return super().history(twin, version, entities)

    def _described(self, twin: str, version: str, place: Path | None = None) -> tuple[Path, Description]:
        folder = self.folder(twin, version)
        with locked(self._lock(twin, version)):
            if not (folder / MARKER).exists():
                self._fetch(twin, version, folder)
        return super()._described(twin, version)

    def _fetch(self, twin: str, version: str, folder: Path) -> None:
        content = objects.read(f"{self._uri}/{twin}/{version}/{MARKER}")
        if content is None:
            raise MissingError(
                f"twin '{twin}' has no feature version '{version}'",
                where=f"{self._uri}/{twin}/{version}",
                remedy=f"run `twin run features --twin {twin}`",
            )
        description = Description.model_validate_json(content)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REGISTRY).unlink(missing_ok=True)
        open_store(folder, description, self._online).apply(definitions(folder, description))
        write_atomic(folder / MARKER, content)

    def _lock(self, twin: str, version: str) -> Path:
        return self.root / ".locks" / f"{twin}-{version}"
