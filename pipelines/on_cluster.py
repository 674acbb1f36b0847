"""The macro DAGs with what a cluster adds: image digests, nodes, retries, timeouts, secrets, a last report.

The recipes stay as they are: every component of `Stages` is wrapped, so that its task gets the settings of
its stage.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, cast

from kfp import dsl, kubernetes

from components.shared.config import Kind
from components.shared.config.cluster import Cluster
from components.shared.config.names import StageName
from components.shared.config.nodes import Pool
from components.shared.config.stages import Retries, StageWork, Volume
from components.shared.images import NAMES, reference
from pipelines.recipes import pipeline
from pipelines.report import report
from pipelines.stages import STAGES, Component, Stages

#: User of the images (`images/*.Containerfile`).
USER = 65532

#: What the report at the end of a run needs.
REPORT = StageWork(cpu="100m", cpu_limit="1", memory="256Mi", memory_limit="1Gi", timeout_seconds=600)

#: Accelerator of a stage that asks for some and names no pool.
GPU = "nvidia.com/gpu"

#: Numeric libraries start a thread for every core of the node without it, and are throttled at their limit.
THREADS = "OMP_NUM_THREADS"

PART_OF = "app.kubernetes.io/part-of"
STAGE_LABEL = "twinstack.io/stage"

#: Who makes room on nodes leaves pods with these alone: a stage whose pod is deleted is not tried again.
UNDISTURBED = {
    "karpenter.sh/do-not-disrupt": "true",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
}


def cluster_pipeline(name: str, kind: Kind, cluster: Cluster) -> Any:
    """The KFP pipeline of a recipe, for a cluster."""

    @contextmanager
    def reported(config: str, twin: str) -> Iterator[None]:
        run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        last = report(config=config, twin=twin, pipeline=name, run=run, ui=cluster.kfp.ui)
        _set(last, "report", REPORT, cluster)
        with dsl.ExitHandler(last, name="reported"):
            yield

    return pipeline(name, kind, configured(STAGES[kind], cluster), reported)


def configured(stages: Stages, cluster: Cluster) -> Stages:
    """The same components; their tasks carry the settings of the cluster."""
    return Stages(**{slot.name: _wrapped(getattr(stages, slot.name), cluster) for slot in fields(stages)})


def _wrapped(component: Component, cluster: Cluster) -> Component:
    stage = cast(StageName, component.name)  # type: ignore[attr-defined]

    def task(**arguments: Any) -> Any:
        made = component(**arguments)
        _set(made, stage, cluster.work(stage), cluster)
        return made

    return task


def _set(task: Any, stage: str, work: StageWork, cluster: Cluster) -> None:
    """Every setting of a stage on its task."""
    image = work.image or _named(task.container_spec.image)
    task.set_container_image(reference(image, cluster.images))
    task.set_cpu_request(work.cpu).set_cpu_limit(work.cpu_limit)
    task.set_memory_request(work.memory).set_memory_limit(work.memory_limit)
    task.set_caching_options(work.kfp_cache)
    _retried(task, work.retries, work.timeout_seconds)
    kubernetes.set_timeout(task, work.timeout_seconds)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.add_pod_label(task, PART_OF, "twinstack")
    kubernetes.add_pod_label(task, STAGE_LABEL, stage)
    for annotation, value in UNDISTURBED.items():
        kubernetes.add_pod_annotation(task, annotation, value)
    if cluster.images.pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(cluster.images.pull_secrets))
    if work.shared_memory:
        kubernetes.empty_dir_mount(task, "shared-memory", "/dev/shm", "Memory", work.shared_memory)  # noqa: S108
    pool = cluster.pools.get(work.pool)
    if pool:
        _placed(task, pool)
    if work.gpus:
        task.set_accelerator_type(pool.accelerator if pool else GPU).set_accelerator_limit(work.gpus)
    for name, value in {THREADS: _threads(work.cpu_limit), **cluster.variables}.items():
        task.set_env_variable(name, value)
    for secret in cluster.secrets:
        if not secret.stages or stage in secret.stages:
            kubernetes.use_secret_as_env(task, secret.secret, {secret.key: secret.variable})
    for volume in cluster.volumes:
        if not volume.stages or stage in volume.stages:
            _mount(task, volume)


def _threads(cores: str) -> str:
    """Whole cores, rounded up, of `2`, `0.5` or `500m`."""
    return str(math.ceil(float(cores[:-1]) / 1000 if cores.endswith("m") else float(cores)))


def _mount(task: Any, volume: Volume) -> None:
    if volume.claim:
        kubernetes.mount_pvc(task, pvc_name=volume.claim, mount_path=volume.path)
    else:
        kubernetes.use_config_map_as_volume(task, volume.config_map, mount_path=volume.path)


def _named(image: str) -> Any:
    """Name of the image that a component's shell gives."""
    return next(name for name, local in NAMES.items() if local == image)


def _retried(task: Any, retries: Retries, timeout_seconds: int) -> None:
    """Tries with a growing wait between them.

    Argo stops trying once the time since the *first* try exceeds the longest duration, so that has to hold
    all tries and waits; the default of KFP, an hour, would take the second try from a long training.
    """
    if not retries.count:
        return
    waits = sum(retries.wait_seconds * retries.factor**turn for turn in range(retries.count))
    task.set_retry(
        retries.count,
        backoff_duration=f"{retries.wait_seconds}s",
        backoff_factor=retries.factor,
        backoff_max_duration=f"{int(waits) + timeout_seconds * (retries.count + 1)}s",
    )


def _placed(task: Any, pool: Pool) -> None:
    """Nodes of the pool, its taints, its queue."""
    for key, value in pool.node_labels.items():
        kubernetes.add_node_selector(task, key, value)
    for one in pool.tolerations:
        kubernetes.add_toleration(
            task, key=one.key, operator=one.operator, value=one.value or None, effect=one.effect or None
        )
    if pool.queue:
        kubernetes.add_pod_label(task, "kueue.x-k8s.io/queue-name", pool.queue)
