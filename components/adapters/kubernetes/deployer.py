"""Let model versions answer on a cluster: one InferenceService each, made, waited for, taken back."""

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from components.adapters.kubernetes import autoscaling
from components.adapters.kubernetes.api import INFERENCE_SERVICES, Api, Object
from components.adapters.kubernetes.following import Clock, Report, wait_until_ready
from components.adapters.kubernetes.gpu_limit import require_room
from components.adapters.kubernetes.inference_service import (
    MODEL_VERSION,
    inference_service,
    name_of,
    selector,
)
from components.shared.config.cluster import Cluster
from components.shared.errors import TwinError
from components.shared.releases import Release

#: Port that an address of HTTP need not name.
HTTP_PORT = 80


class KServeDeployer:
    """InferenceServices of one namespace.

    Args:
        api: The namespace.
        settings: Mode, resources, patience.
        artifacts: URI of the artifact store.
        clock: Time.
    """

    def __init__(self, api: Api, settings: Cluster, artifacts: str, clock: Clock | None = None) -> None:
        self._api = api
        self._settings = settings
        self._artifacts = artifacts
        self._clock = clock or Clock()

    def deploy(self, release: Release, report: Report, *, answering: bool = False) -> str:
        """Make the release's predictor ready; its URI. Again changes nothing.

        Args:
            release: What is to answer.
            report: Told what is waited for.
            answering: Whether the model version answers already: then its predictor is never deleted.

        Raises:
            NotReadyError: It did not become ready; what was made for it is gone again, and a predictor that
                answers already is what it was before.
            ClusterError: The cluster refuses, or `max_gpus` leaves no room, and nothing was changed.
            ConfigError: The cluster has no way to the model's files.
        """
        body = inference_service(release, self._settings, self._artifacts)
        name = body["metadata"]["name"]
        require_room(self._api, body, self._settings.predictors)
        before = self._api.get(INFERENCE_SERVICES, name) if answering else None
        applied = self._api.apply(INFERENCE_SERVICES, body, force=self._settings.predictors.force)
        report(f"InferenceService {name} is applied")
        try:
            self._scale(release, body, applied, awake=True)
            ready = wait_until_ready(self._api, name, self._settings.predictors, report, self._clock)
            if not self._settings.predictor(release.twin, release.kind).replicas:
                self._scale(release, body, applied)
        except BaseException:
            if before:
                self._restore(release, before, body, report)
            elif not answering:
                self._take_back(applied, report)
            raise
        report(f"InferenceService {name} is ready")
        return predictor_uri(release, ready, self._settings)

    def _scale(self, release: Release, body: Object, owner: Object, *, awake: bool = False) -> None:
        """Apply what scales it; while it is waited for one pod runs, even where none need run later."""
        if self._settings.deployment_mode == "Knative":
            return  # it brings its own
        uid, name = owner["metadata"]["uid"], body["metadata"]["name"]
        wanted = autoscaling.autoscaler(release, body, uid, self._settings, awake=awake)
        autoscaling.applied(self._api, wanted, name, force=self._settings.predictors.force)

    def _take_back(self, applied: Object, report: Report) -> None:
        name = applied["metadata"]["name"]
        try:
            self._api.delete(INFERENCE_SERVICES, applied)
            report(f"InferenceService {name} is deleted; what answered before answers on")
        except TwinError as error:  # why it was not ready matters more
            report(f"InferenceService {name} is left behind: {error}")

    def _restore(self, release: Release, before: Object, body: Object, report: Report) -> None:
        name = body["metadata"]["name"]
        try:
            self._api.apply(INFERENCE_SERVICES, _as_before(before, body))
            self._scale(release, body, before)
            report(f"InferenceService {name} is what it was before; its pods answer on")
        except TwinError as error:  # why it was not ready matters more
            report(f"InferenceService {name} is left as it is, its older pods answer on: {error}")

    def clean(self, twin: str, wanted: Collection[str]) -> list[str]:
        """Delete a twin's predictors but those of the wanted model versions.

        Returns:
            Names of what was deleted.
        """
        return self._delete(one for one in self._made(twin) if _version(one) not in wanted)

    def withdraw(self, release: Release) -> list[str]:
        """Delete the predictor of a release's model version; one that is being made for another stays.

        Returns:
            Names of what was deleted.
        """
        return self._delete(one for one in self._made(release.twin) if _version(one) == release.model_version)

    def _made(self, twin: str) -> list[Object]:
        return self._api.find(INFERENCE_SERVICES, labels=selector(twin))

    def _delete(self, services: Iterable[Object]) -> list[str]:
        gone = []
        for one in services:
            self._api.delete(INFERENCE_SERVICES, one)
            gone.append(str(one["metadata"]["name"]))
        return gone


def _version(service: Object) -> str:
    """Model version that an InferenceService of ours answers for."""
    return str(service["metadata"]["labels"].get(MODEL_VERSION, ""))


def _as_before(before: Object, body: Object) -> Object:
    """What to apply so that the fields of `body` have the values that they had in `before`."""
    metadata: Object = {"name": body["metadata"]["name"]}
    for part in ("labels", "annotations"):
        had = before["metadata"].get(part, {})
        metadata[part] = {key: had[key] for key in body["metadata"].get(part, {}) if key in had}
    # The whole spec: fields of others in it have the values that are there, so that nothing conflicts.
    return {**body, "metadata": metadata, "spec": before["spec"]}


def predictor_uri(release: Release, ready: Object, settings: Cluster) -> str:
    """Where a front reaches the predictor: `http://HOST#MODEL` (V2), or `http://HOST/openai/v1#MODEL`.

    In mode Standard KServe writes the scheme of its gateway before the name of the Service, which speaks HTTP
    whatever the gateway does, and no port behind it (`RawHTTPRouteReconciler` in httproute_reconciler.go of
    kserve/kserve).
    """
    name = name_of(release.twin, release.model_version)
    # Some versions put the path of a protocol behind the host.
    told = urlsplit(((ready.get("status") or {}).get("address") or {}).get("url", ""))
    host = told.netloc or f"{name}-predictor.{settings.namespace}.svc.cluster.local"
    scheme = told.scheme or "http"
    if settings.deployment_mode == "Standard":
        scheme = "http"
        if not told.port and settings.service_port != HTTP_PORT:
            host = f"{host}:{settings.service_port}"
    path = "/openai/v1" if release.kind == "llm" else ""
    return f"{scheme}://{host}{path}#{name}"
