"""MLflow: what was tried, and which model version is the champion."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from components.shared.errors import ConfigError, MissingError, NotFoundError, TwinError

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Tag by which a run and a model version are found again.
RECIPE = "twinstack.recipe"
ALIAS = "champion"


@dataclass(frozen=True)
class Registered:
    """A model version, the folder of its files, and the run that made it."""

    version: str
    uri: str
    run: str = ""


class Registry:
    """One experiment and one registered model a twin.

    Args:
        uri: MLflow tracking URI.
        artifacts: Folder of run artifacts, where the tracking store is a local database.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        self._artifacts = artifacts
        artifacts.mkdir(parents=True, exist_ok=True)
        self._uri = uri
        self._opened: MlflowClient | None = None

    @property
    def _client(self) -> "MlflowClient":
        if self._opened is None:
            import logging

            # Schema migrations of a new database are reported line by line at level INFO.
            logging.getLogger("alembic").setLevel(logging.WARNING)
            logging.getLogger("mlflow.store").setLevel(logging.WARNING)
            from mlflow import MlflowClient

            self._opened = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._opened

    def register(
        self,
        *,
        twin: str,
        recipe: str,
        folder: Path,
        params: dict[str, Any],
        metrics: dict[str, float],
        tags: dict[str, str],
    ) -> Registered:
        """Record a run with its files and register them as a model version.

        Registering a recipe again returns what is there. A run that a killed process left without a model
        version is marked as killed and made anew.
        """
        if found := self._find(twin, recipe):
            return found
        client = self._client
        experiment = self._experiment(twin)
        for left in self._runs(experiment, recipe):
            client.set_terminated(left, status="KILLED")
        run = client.create_run(experiment, run_name=recipe, tags={**tags, RECIPE: recipe})
        run_id = run.info.run_id
        for name, value in params.items():
            client.log_param(run_id, name, value)
        for name, number in metrics.items():
            client.log_metric(run_id, name, number)
        client.log_artifacts(run_id, str(folder), "model")
        client.set_terminated(run_id)
        self._ensure_model(twin)
        uri = f"{run.info.artifact_uri}/model"
        made = client.create_model_version(twin, source=uri, run_id=run_id, tags={**tags, RECIPE: recipe})
        return Registered(str(made.version), uri, run_id)

    def promote(self, twin: str, version: str) -> None:
        """Set the alias `champion`."""
        self._client.set_registered_model_alias(twin, ALIAS, version)

    def champion(self, twin: str) -> Registered | None:
        """The model version with the alias `champion`, or None."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version_by_alias(twin, ALIAS)
        except MlflowException:
            return None
        return Registered(str(found.version), str(found.source), str(found.run_id or ""))

    def tags(self, twin: str, version: str) -> dict[str, str]:
        """Tags of a model version."""
        return dict(self._client.get_model_version(twin, version).tags)

    def _find(self, twin: str, recipe: str) -> Registered | None:
        found = self._client.search_model_versions(f"name = '{twin}' and tags.`{RECIPE}` = '{recipe}'")
        if not found:
            return None
        return Registered(str(found[0].version), str(found[0].source), str(found[0].run_id or ""))

    def _runs(self, experiment: str, recipe: str) -> list[str]:
        found = self._client.search_runs([experiment], f"tags.`{RECIPE}` = '{recipe}'")
        return [run.info.run_id for run in found]

    def _experiment(self, twin: str) -> str:
        if found := self._client.get_experiment_by_name(twin):
            return str(found.experiment_id)
        return str(self._client.create_experiment(twin, artifact_location=self._artifacts.as_uri()))

    def _ensure_model(self, twin: str) -> None:
        if not self._client.search_registered_models(f"name = '{twin}'"):
            self._client.create_registered_model(twin)


def local_folder(uri: str) -> Path:
    """A local folder of a model's files; from object storage they are fetched once.

    Raises:
        ConfigError: The URI is of no kind that can be fetched.
        NotFoundError: The folder is gone.
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        from components.adapters import objects

        try:
            return objects.fetched(uri)
        except MissingError as error:
            raise NotFoundError(
                f"model files are gone: {uri}", param="release", remedy="train again"
            ) from error
    if parts.scheme not in ("", "file"):
        raise ConfigError(
            f"model files lie at '{uri}', which this version does not fetch", remedy="use file:// or s3://"
        )
    folder = Path(url2pathname(parts.path))
    if not folder.is_dir():
        raise NotFoundError(f"model files are gone: {folder}", param="release", remedy="train again")
    return folder


def available(uri: str) -> bool:
    """Whether a model's files are where they were, without fetching them."""
    if urlsplit(uri).scheme == "s3":
        from components.adapters import objects

        return bool(objects.keys(uri))
    try:
        local_folder(uri)
    except TwinError:
        return False
    return True
