"""The one place that picks an adapter, by the scheme of its URI."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from components.adapters.artifacts.contract import Artifacts
from components.adapters.artifacts.folders import FolderArtifacts
from components.adapters.warehouse.contract import Warehouse
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.shared.config import Config
from components.shared.errors import ConfigError

if TYPE_CHECKING:  # heavy libraries load when a store is first used
    from components.adapters.features.store import Features
    from components.adapters.registry import Registry
    from components.adapters.vectors.contract import Vectors


@dataclass(frozen=True)
class Stores:
    """Opened stores of a configuration; each opens at first use."""

    config: Config

    @cached_property
    def artifacts(self) -> Artifacts:
        """Committed stage outputs."""
        uri = self.config.stores.artifacts
        if urlsplit(uri).scheme == "s3":
            from components.adapters.artifacts.s3 import S3Artifacts

            return S3Artifacts(uri, self.config.state_path / "objects")
        return FolderArtifacts(self._folder("artifacts", "file", "artifacts"))

    @cached_property
    def warehouse(self) -> Warehouse:
        """Documents."""
        uri = self.config.stores.warehouse
        match urlsplit(uri).scheme:
            case "postgresql":
                from components.adapters.warehouse.postgres import PostgresWarehouse

                return PostgresWarehouse(uri)
            case "mongodb" | "mongodb+srv":
                from components.adapters.warehouse.mongo import MongoWarehouse

                return MongoWarehouse(uri)
        return SqliteWarehouse(self._folder("warehouse", "sqlite", "warehouse.db"))

    @cached_property
    def vectors(self) -> "Vectors":
        """Index versions."""
        uri = self.config.stores.vectors
        if urlsplit(uri).scheme in ("http", "https"):
            from components.adapters.vectors.server import ServerVectors

            return ServerVectors(uri)
        from components.adapters.vectors.embedded import EmbeddedVectors

        return EmbeddedVectors(self._folder("vectors", "milvus-lite", "vectors"))

    @cached_property
    def features(self) -> "Features":
        """Feature store."""
        parts = urlsplit(self.config.stores.features)
        online = parse_qs(parts.query).get("online", [""])[0]
        if parts.scheme == "feast+s3":
            from components.adapters.features.s3 import S3Features

            place = f"s3://{parts.netloc}{parts.path}".rstrip("/")
            return S3Features(place, self.config.state_path / "features", online)
        from components.adapters.features.store import Features

        return Features(self._folder("features", "feast", "features"), online)

    @cached_property
    def registry(self) -> "Registry":
        """Experiment tracking and model registry."""
        from components.adapters.registry import Registry

        uri = self.config.stores.tracking
        if urlsplit(uri).scheme in ("http", "https"):
            return Registry(uri, artifacts=None)
        path = self._folder("tracking", "sqlite", "mlflow/mlflow.db")
        return Registry(f"sqlite:///{path}", artifacts=path.parent / "artifacts")

    def _folder(self, store: str, scheme: str, default: str) -> Path:
        uri: str = getattr(self.config.stores, store)
        if not uri:
            return self.config.state_path / default
        parts = urlsplit(uri)
        if parts.scheme != scheme or parts.netloc:
            raise ConfigError(
                f"stores.{store} is '{uri}', which no adapter of this version opens",
                where="stores",
                remedy=f"use {scheme}:///ABSOLUTE/PATH, or leave it empty for the state folder",
            )
        return Path(parts.path)
