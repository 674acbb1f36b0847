"""MLflow: what was tried, and which model version is the champion."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.adapters import tracking_database
from components.adapters.model_files import available
from components.shared.errors import TwinError

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Tag by which a run and a model version are found again.
RECIPE = "twinstack.recipe"
#: Tag of a model version whose files lie in the artifact store, where every pod can read them.
FILES = "twinstack.files"
ALIAS = "champion"


class TrackingError(TwinError):
    """The tracking server cannot be reached, or refuses."""

    exit_code = 12
    http_status = 503
    kind = "tracking_error"


#: MLflow's own variable: how often a request to its server is repeated; 7 by default, in four minutes.
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


@contextmanager
def impatient() -> Iterator[None]:
    """While the block runs, a tracking server that is away is given up after some seconds."""
    before = os.environ.get(RETRIES)
    os.environ[RETRIES] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[RETRIES]
        else:
            os.environ[RETRIES] = before


@dataclass(frozen=True)
class Registered:
    """A model version, the folder of its files, and the run that made it."""

    version: str
    uri: str
    run: str = ""


class Registry:
    """One experiment and one registered model a twin.

    Args:
        uri: MLflow tracking URI: of a local database, or of a server, whose credentials MLflow reads from
            `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`.
        artifacts: Folder of run artifacts, where the tracking store is a local database; None for a server.
    """

    def __init__(self, uri: str, artifacts: Path | None) -> None:
        self._artifacts = artifacts
        if artifacts is not None:
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

            if self._artifacts is not None:
                tracking_database.ensure(Path(self._uri.removeprefix("sqlite:///")), self._artifacts)
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
        uri: str = "",
    ) -> Registered:
        """Record a run with its files and register them as a model version.

        Registering a recipe again returns what is there, and puts its files back where they were lost or
        changed. A run that a killed process left without a model version is marked as killed and made anew.
        On a server the model version names the files in the artifact store, `uri`; from object storage they
        are not copied a second time.

        Raises:
            TrackingError: The server cannot be reached, or refuses.
        """
        files = uri if self._artifacts is None else ""
        with self._told():
            if found := self._find(twin, recipe):
                if self._artifacts is not None and not available(found.uri):
                    self._client.log_artifacts(found.run, str(folder), "model")
                return found
            run_id, source = self._recorded(twin, recipe, folder, params, metrics, tags, files)
            self._ensure_model(twin)
            marked = {**tags, RECIPE: recipe, **({FILES: files} if files else {})}
            made = self._client.create_model_version(twin, source=source, run_id=run_id, tags=marked)
            return Registered(str(made.version), files or source, run_id)

    def _recorded(
        self, twin: str, recipe: str, folder: Path, params: dict[str, Any], metrics: dict[str, float],
        tags: dict[str, str], files: str,
    ) -> tuple[str, str]:  # fmt: skip
        """Id of a finished run, and where the model's files are to MLflow."""
        client, experiment = self._client, self._experiment(twin)
        for left in self._runs(experiment, recipe):
            client.set_terminated(left, status="KILLED")
        run = client.create_run(experiment, run_name=recipe, tags={**tags, RECIPE: recipe})
        run_id = str(run.info.run_id)
        for name, value in params.items():
            client.log_param(run_id, name, value)
        for name, number in metrics.items():
            client.log_metric(run_id, name, number)
        source = files
        if not files.startswith("s3://"):
            client.log_artifacts(run_id, str(folder), "model")
            source = f"{run.info.artifact_uri}/model"
        client.set_terminated(run_id)
        return run_id, source

    def promote(self, twin: str, version: str, prompt: str = "") -> None:
        """Set the alias `champion` of a twin's model and, where it has one, of its prompt.

        Raises:
            TrackingError: The server cannot be reached, or refuses.
        """
        from components.adapters import prompt_registry

        with self._told():
            self._client.set_registered_model_alias(twin, ALIAS, version)
            if prompt:
                known = prompt_registry.register(self._client, twin, prompt)
                self._client.set_prompt_alias(prompt_registry.name_of(twin), ALIAS, known)

    def champion(self, twin: str) -> Registered | None:
        """The model version with the alias `champion`, or None."""
        from mlflow.exceptions import MlflowException

        with self._told():
            try:
                found = self._client.get_model_version_by_alias(twin, ALIAS)
            except MlflowException as error:
                # No model, or no such alias; anything else is a failure.
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
            return _registered(found)

    def prompt(self, twin: str, text: str) -> int:
        """The version of a prompt in the prompt registry; the same text is the same version.

        Args:
            twin: Whose prompt it is.
            text: The prompt file.

        Raises:
            TrackingError: The server cannot be reached, or refuses.
        """
        from components.adapters import prompt_registry

        with self._told():
            return prompt_registry.register(self._client, twin, text)

    def tags(self, twin: str, version: str) -> dict[str, str]:
        """Tags of a model version."""
        return dict(self._client.get_model_version(twin, version).tags)

    def _find(self, twin: str, recipe: str) -> Registered | None:
        found = self._client.search_model_versions(f"name = '{twin}' and tags.`{RECIPE}` = '{recipe}'")
        return _registered(found[0]) if found else None

    def _runs(self, experiment: str, recipe: str) -> list[str]:
        found = self._client.search_runs([experiment], f"tags.`{RECIPE}` = '{recipe}'")
        return [run.info.run_id for run in found]

    def _experiment(self, twin: str) -> str:
        from mlflow.exceptions import MlflowException

        if found := self._client.get_experiment_by_name(twin):
            return str(found.experiment_id)
        location = self._artifacts.as_uri() if self._artifacts else None
        try:
            return str(self._client.create_experiment(twin, artifact_location=location))
        except MlflowException:
            if found := self._client.get_experiment_by_name(twin):  # another pod was first
                return str(found.experiment_id)
            raise

    def _ensure_model(self, twin: str) -> None:
        from mlflow.exceptions import MlflowException

        if not self._client.search_registered_models(f"name = '{twin}'"):
            try:
                self._client.create_registered_model(twin)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another pod was first
                    raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What MLflow raises, as an error that a person can act on."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:  # of a local database, which MLflow opens without a word of its own
            raise TrackingError(
                f"MLflow's database cannot be used: {str(error).splitlines()[0]}",
                where=self._uri,
                remedy="free space on its disk; where the file is damaged, put back a copy of it",
            ) from error
        except MlflowException as error:
            raise TrackingError(
                f"MLflow refuses: {error.message}",
                where="stores.tracking",
                remedy="check the server's address, its credentials and the hosts that it answers to",
            ) from error


def _registered(found: Any) -> Registered:
    """A model version of MLflow; its files lie where the tag says, or at its source."""
    uri = dict(found.tags).get(FILES) or str(found.source)
    return Registered(str(found.version), uri, str(found.run_id or ""))
