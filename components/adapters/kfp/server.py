"""Kubeflow Pipelines over its REST API (v2beta1): upload, run, look. Recurring runs: `kfp_recurring`."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from components.adapters.kfp.access import PATIENCE, Access
from components.shared.config.kfp import Kfp
from components.shared.errors import PipelinesError

#: States that a run does not leave.
ENDED = frozenset({"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"})


@dataclass(frozen=True)
class Uploaded:
    """A version of a pipeline on the server."""

    pipeline_id: str
    version_id: str
    new: bool


@dataclass(frozen=True)
class Task:
    """One task of a run; while it runs, `seconds` counts until now."""

    name: str
    state: str
    seconds: float
    error: str


@dataclass(frozen=True)
class Seen:
    """A run as the server sees it."""

    state: str
    error: str
    tasks: tuple[Task, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED


class KfpServer:
    """One Kubeflow Pipelines server.

    Raises:
        PipelinesError: From every method: the server refuses, or does not answer.
        ConfigError: From every method: no endpoint, or no token where one is named.
    """

    def __init__(self, settings: Kfp) -> None:
        self.settings = settings
        self.access = Access(settings)

    def link(self, kind: str, name: str) -> str:
        """Address of a run (`runs`) or a recurring run (`recurringrun`) for people."""
        return f"{self.settings.ui or self.settings.endpoint}/#/{kind}/details/{name}"

    def upload(self, pipeline: str, version: str, package: str, description: str) -> Uploaded:
        """Bring a pipeline to the server; a version that is there already is taken as it is.

        Args:
            pipeline: Name of the pipeline.
            version: Name of the version; equal content has to have an equal name.
            package: Compiled YAML.
            description: One sentence for people.
        """
        found = self._pipeline(pipeline, description)
        if known := self._version(found, version):
            return Uploaded(found, known, new=False)
        api = self.access.models.PipelineUploadServiceApi(self.access.client)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{pipeline}.yaml"
            path.write_text(package, encoding="utf-8")
            with self.access.asking(f"upload version {version} of pipeline {pipeline}"):
                made = api.upload_pipeline_version(
                    str(path),
                    name=f"{pipeline}-{version}",
                    display_name=version,
                    pipelineid=found,
                    _request_timeout=PATIENCE,
                )
        return Uploaded(found, made.pipeline_version_id, new=True)

    def run(self, name: str, uploaded: Uploaded, arguments: Mapping[str, Any], service_account: str) -> str:
        """Start a run; its id."""
        models = self.access.models
        body = models.V2beta1Run(
            display_name=name,
            experiment_id=self.experiment,
            pipeline_version_reference=reference(models, uploaded),
            runtime_config=models.V2beta1RuntimeConfig(parameters=dict(arguments)),
            service_account=service_account,
        )
        with self.access.asking(f"start run {name}"):
            made = models.RunServiceApi(self.access.client).run_service_create_run(
                body, _request_timeout=PATIENCE
            )
        return str(made.run_id)

    def look(self, run: str) -> Seen:
        """How a run stands."""
        api = self.access.models.RunServiceApi(self.access.client)
        with self.access.asking(f"look at run {run}"):
            found = api.run_service_get_run(run, _request_timeout=PATIENCE)
        details = found.run_details.task_details if found.run_details else None
        return Seen(
            found.state or "PENDING", _message(found.error), tuple(_task(one) for one in details or ())
        )

    @cached_property
    def experiment(self) -> str:
        """Id of the experiment, made where it is missing."""
        name, namespace = self.settings.experiment, self.settings.namespace
        api = self.access.models.ExperimentServiceApi(self.access.client)
        with self.access.asking(f"find experiment {name}"):
            found = api.experiment_service_list_experiments(
                namespace=namespace, filter=_named(name), _request_timeout=PATIENCE
            )
        if found.experiments:
            return str(found.experiments[0].experiment_id)
        body = self.access.models.V2beta1Experiment(display_name=name, namespace=namespace or None)
        with self.access.asking(f"make experiment {name}"):
            made = api.experiment_service_create_experiment(body, _request_timeout=PATIENCE)
        return str(made.experiment_id)

    def _pipeline(self, name: str, description: str) -> str:
        """Id of a pipeline, made where it is missing."""
        namespace = self.settings.namespace
        api = self.access.models.PipelineServiceApi(self.access.client)
        try:
            with self.access.asking(f"find pipeline {name}"):
                found = api.pipeline_service_get_pipeline_by_name(
                    name, namespace=namespace, _request_timeout=PATIENCE
                )
        except PipelinesError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            body = self.access.models.V2beta1Pipeline(
                name=name, display_name=name, description=description, namespace=namespace or None
            )
            with self.access.asking(f"make pipeline {name}"):
                found = api.pipeline_service_create_pipeline(body, _request_timeout=PATIENCE)
        return str(found.pipeline_id)

    def _version(self, pipeline: str, version: str) -> str | None:
        """Id of a version of a pipeline."""
        api = self.access.models.PipelineServiceApi(self.access.client)
        with self.access.asking(f"find version {version}"):
            found = api.pipeline_service_list_pipeline_versions(
                pipeline, filter=_named(version), _request_timeout=PATIENCE
            )
        same = [one for one in found.pipeline_versions or () if one.display_name == version]
        return str(same[0].pipeline_version_id) if same else None


def reference(models: Any, uploaded: Uploaded) -> Any:
    """The API's reference to a version."""
    return models.V2beta1PipelineVersionReference(
        pipeline_id=uploaded.pipeline_id, pipeline_version_id=uploaded.version_id
    )


def _named(name: str) -> str:
    """The API's filter for a name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _task(one: Any) -> Task:
    begun = one.start_time or one.create_time
    until = one.end_time or datetime.now(UTC)
    seconds = max(0.0, (until - begun).total_seconds()) if begun else 0.0
    return Task(one.display_name or "", one.state or "PENDING", seconds, _message(one.error))


def _message(error: Any) -> str:
    return str(error.message or "") if error else ""
