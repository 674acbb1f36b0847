"""The InferenceService of a model version: the fields that Twinstack owns, by pure functions."""

from typing import Any
from urllib.parse import urlsplit

from components.adapters.kubernetes import autoscaling, pod_parts, restricted
from components.adapters.kubernetes.model_files import BESIDE_OTHERS, folders, storage_uri
from components.adapters.kubernetes.probes import PORT, probes
from components.shared import digest
from components.shared.config.cluster import Cluster
from components.shared.config.predictors import PredictorWork
from components.shared.errors import ConfigError
from components.shared.releases import Release

#: Labels by which the release stage finds what it made, and touches nothing else.
MANAGED_BY = "app.kubernetes.io/managed-by"
TWIN = "twinstack.io/twin"
#: Label by which the chart's network policies and monitors find predictors, whoever made them.
COMPONENT = "twinstack.io/component"
MODEL_VERSION = "twinstack.io/model-version"
#: Annotation by which a pod is known to be made from this very specification; KServe hands it on.
SPECIFICATION = "twinstack.io/specification"

#: Label that KServe puts on the pods of an InferenceService.
POD_LABEL = "serving.kserve.io/inferenceservice"

#: Seconds until every node knows that a pod goes, as the chart has it.
KNOWN_SECONDS = 5

#: Folder of the booster inside a classic model: KServe refuses a folder with more than one model file.
BOOSTER = "booster"


def name_of(twin: str, model_version: str) -> str:
    """Name of the InferenceService; releases that share a model version share it."""
    return f"{twin}-m{model_version}"


def selector(twin: str) -> str:
    """Label selector of every InferenceService that the release stage made for a twin."""
    return f"{MANAGED_BY}=twinstack,{TWIN}={twin}"


def inference_service(release: Release, settings: Cluster, artifacts: str) -> dict[str, Any]:
    """What is applied for a release.

    Args:
        release: The candidate.
        settings: Mode, resources, pools.
        artifacts: URI of the artifact store: a folder of it may be a volume.

    Raises:
        ConfigError: The cluster has no way to the model's files.
    """
    work = settings.predictor(release.twin, release.kind)
    make = _llm if release.kind == "llm" else _classic
    predictor = {
        **make(release, settings, work, artifacts),
        # KServe does not scale it, and none is a number for what does.
        "minReplicas": max(1, work.replicas),
        "maxReplicas": work.max_replicas,
        **_pod(name_of(release.twin, release.model_version), settings, work),
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name_of(release.twin, release.model_version),
            "namespace": settings.namespace,
            "labels": {
                **settings.predictors.labels,
                "app.kubernetes.io/name": "twinstack-predictor",
                "app.kubernetes.io/part-of": "twinstack",
                MANAGED_BY: "twinstack",
                COMPONENT: "predictor",
                # Fronts ask it. Without this KServe publishes it at the gateway, where nobody asks for a key.
                "networking.kserve.io/visibility": "cluster-local",
                TWIN: release.twin,
                MODEL_VERSION: release.model_version,
            },
            "annotations": _annotations(release, settings, work),
        },
        "spec": {"predictor": {**predictor, "annotations": {SPECIFICATION: digest.of_json(predictor)}}},
    }


def _annotations(release: Release, settings: Cluster, work: PredictorWork) -> dict[str, str]:
    """Mode and autoscaler, which KServe reads, and where the model comes from."""
    found = {
        "serving.kserve.io/deploymentMode": settings.deployment_mode,
        "serving.kserve.io/autoscalerClass": "external" if autoscaling.scaled(work, settings) else "none",
        "twinstack.io/run": release.run,
        MODEL_VERSION: release.model_version,
        "twinstack.io/model-digest": release.model_digest,
        "twinstack.io/model-uri": release.model_uri,
        "twinstack.io/dataset-version": release.dataset_version,
        "twinstack.io/commit": release.commit + (" dirty" if release.dirty else ""),
    }
    if settings.deployment_mode == "Knative":
        del found["serving.kserve.io/autoscalerClass"]  # Knative brings its own
        # Knative gives a revision up after ten minutes otherwise.
        found["serving.knative.dev/progress-deadline"] = f"{settings.predictors.ready_seconds}s"
        found["autoscaling.knative.dev/scale-down-delay"] = f"{work.scaling.down_seconds}s"
    return found


def _classic(release: Release, settings: Cluster, work: PredictorWork, artifacts: str) -> dict[str, Any]:
    storage = f"{storage_uri(release.model_uri, settings, artifacts)}/{BOOSTER}"
    model = {
        "modelFormat": {"name": "xgboost"},
        "protocolVersion": "v2",
        "storageUri": storage,
        **_container(settings, work, name_of(release.twin, release.model_version)),
    }
    if work.arguments:
        model["args"] = [*work.arguments]
    return {"model": model}


def _llm(release: Release, settings: Cluster, work: PredictorWork, artifacts: str) -> dict[str, Any]:
    """The base model with the release's LoRA adapter, which answers under the service's name."""
    assert release.answering is not None
    foundation = release.answering.foundation
    base = _base(foundation.model, release.twin, settings, artifacts)
    made = folders({"base": base, "adapter": storage_uri(release.model_uri, settings, artifacts)})
    name = name_of(release.twin, release.model_version)
    arguments = [
        f"--model_name={name}-base",
        f"--model_dir={made.paths['base']}",
        f"--max-model-len={foundation.context_tokens}",
        "--enable-lora",
        "--max-loras=1",
        "--lora-modules",
        f"{name}={made.paths['adapter']}",
        *([f"--tensor-parallel-size={work.gpus}"] if work.gpus else []),
        *work.arguments,
    ]
    mounts, volumes = [*made.mounts], [*made.volumes]
    if work.gpus:
        # Processes of one model talk through shared memory; the 64 MiB of a container are not enough.
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})  # noqa: S108
        volumes.append(
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": work.shared_memory}}
        )
    model: dict[str, Any] = {
        "modelFormat": {"name": "huggingface"},
        "protocolVersion": "v2",
        "args": arguments,
        **_container(settings, work, f"{name}-base"),
    }
    found: dict[str, Any] = {"model": {**model, "volumeMounts": mounts} if mounts else model}
    found |= {"storageUris": made.fetched} if made.fetched else {}
    return {**found, "volumes": volumes} if volumes else found


def _base(model: str, twin: str, settings: Cluster, artifacts: str) -> str:
    if urlsplit(model).scheme in BESIDE_OTHERS:
        return storage_uri(model, settings, artifacts)
    raise ConfigError(
        f"foundation.model '{model}' is on no storage that KServe can fetch from, with an adapter beside it",
        where=f"twins.{twin}.foundation.model",
        remedy=f"name it as {', '.join(f'{one}://' for one in BESIDE_OTHERS)}",
    )


def _container(settings: Cluster, work: PredictorWork, model: str) -> dict[str, Any]:
    """What the runtime's container has, whatever the model.

    Args:
        settings: Pools.
        work: Resources.
        model: Name that the model server knows it by.
    """
    found: dict[str, Any] = {
        "resources": pod_parts.resources(settings, work),
        "securityContext": restricted.container(),
        "ports": [{"name": "http1", "containerPort": PORT, "protocol": "TCP"}],
        **probes(settings, model),
    }
    if settings.deployment_mode == "Standard":
        # Requests still arrive until every node knows that the pod goes; Knative's queue-proxy holds them.
        found["lifecycle"] = {"preStop": {"sleep": {"seconds": KNOWN_SECONDS}}}
    return {**found, "runtime": work.runtime} if work.runtime else found


def _pod(name: str, settings: Cluster, work: PredictorWork) -> dict[str, Any]:
    """How the pod runs; Knative takes some fields only where its feature flags are on."""
    found: dict[str, Any] = {
        "serviceAccountName": settings.service_accounts.serving,
        "automountServiceAccountToken": False,
        # Variables named after every Service of the namespace mean nothing to a predictor.
        "enableServiceLinks": False,
    }
    if settings.deployment_mode == "Standard":
        found["terminationGracePeriodSeconds"] = work.grace_seconds
    if settings.deployment_mode == "Standard" or settings.knative_pod_fields:
        found["securityContext"] = restricted.pod()
        found |= pod_parts.placed(settings, work)
        found |= pod_parts.spread(work.spread, {POD_LABEL: name})
        found |= {"runtimeClassName": work.runtime_class} if work.runtime_class else {}
        priority = settings.predictors.priority_class
        found |= {"priorityClassName": priority} if priority else {}
    return found
