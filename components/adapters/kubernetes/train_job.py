"""The TrainJob of one fine-tuning: the fields that Twinstack owns, by a pure function."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from components.adapters.kubernetes import pod_parts, restricted
from components.shared.config import Config
from components.shared.config.cluster import Cluster
from components.shared.images import reference

#: Job of the runtime that trains, and its container, by the convention of Kubeflow Trainer.
NODE = "node"

#: Field manager's part of the patches of the runtime.
MANAGER = "twinstack.io/finetune"


#: Label by which Kueue finds what it admits.
QUEUE = "kueue.x-k8s.io/queue-name"


def name_of(key: str) -> str:
    """Name of the TrainJob of a training; JobSet makes longer names of it."""
    return f"finetune-{key[:12]}"


def train_job(config: Config, twin: str, key: str, arguments: Sequence[str]) -> dict[str, Any]:
    """What is applied for a training.

    Args:
        config: Nodes, GPUs, image, secrets, stores.
        twin: Name of the twin.
        key: Name of the training.
        arguments: Of the worker.
    """
    cluster = config.cluster
    training = cluster.training
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {
            "name": name_of(key),
            "namespace": cluster.namespace,
            "labels": {
                "app.kubernetes.io/name": "twinstack-finetune",
                "app.kubernetes.io/part-of": "twinstack",
                "app.kubernetes.io/managed-by": "twinstack",
                "twinstack.io/twin": twin,
                **_queued(cluster),
            },
            "annotations": {"twinstack.io/training": key},
        },
        "spec": {
            "runtimeRef": {
                "apiGroup": "trainer.kubeflow.org",
                "kind": "ClusterTrainingRuntime",
                "name": training.runtime,
            },
            "trainer": {
                "image": reference("train", cluster.images),
                "command": ["torchrun"],
                "args": ["-m", "components.finetune.worker", *arguments],
                "numNodes": training.nodes,
                "numProcPerNode": max(training.gpus, 1),
                "resourcesPerNode": pod_parts.resources(cluster, training),
                "env": _environment(cluster),
            },
            "runtimePatches": [_patch(config)],
        },
    }


def _queued(cluster: Cluster) -> dict[str, str]:
    """Kueue suspends a TrainJob of a queue until there is room for the whole of it."""
    pool = cluster.pools.get(cluster.training.pool)
    return {QUEUE: pool.queue} if pool and pool.queue else {}


def _environment(cluster: Cluster) -> list[dict[str, Any]]:
    """The variables of stage finetune, and its secrets by reference."""
    return [{"name": name, "value": value} for name, value in cluster.variables.items()] + [
        {"name": one.variable, "valueFrom": {"secretKeyRef": {"name": one.secret, "key": one.key}}}
        for one in cluster.secrets
        if not one.stages or "finetune" in one.stages
    ]


def _mounted(config: Config) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and source of each volume by its name.

    That of the artifacts where they lie on one, and the files that variables of stage finetune may name, such
    as certificates.
    """
    cluster, folder = config.cluster, urlsplit(config.stores.artifacts)
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    if (claim := cluster.predictors.artifacts_claim) and folder.scheme == "file":
        found["artifacts"] = (folder.path, {"persistentVolumeClaim": {"claimName": claim}})
    for index, one in enumerate(cluster.volumes):
        if one.config_map and (not one.stages or "finetune" in one.stages):
            found[f"files-{index}"] = (one.path, {"configMap": {"name": one.config_map}})
    return found


def _patch(config: Config) -> dict[str, Any]:
    """Where the pods run, as whom, and with which volumes."""
    cluster = config.cluster
    pod: dict[str, Any] = {
        "serviceAccountName": cluster.service_accounts.serving,
        "securityContext": restricted.pod(),
    }
    pod |= pod_parts.placed(cluster, cluster.training)
    if secrets := cluster.images.pull_secrets:
        pod["imagePullSecrets"] = [{"name": one} for one in secrets]
    if mounted := _mounted(config):
        pod["volumes"] = [{"name": name, **source} for name, (_, source) in mounted.items()]
        mounts = [{"name": name, "mountPath": path} for name, (path, _) in mounted.items()]
        pod["containers"] = [{"name": NODE, "volumeMounts": mounts}]
    job = {"name": NODE, "template": {"spec": {"template": {"spec": pod}}}}
    return {
        "manager": MANAGER,
        "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}},
    }
