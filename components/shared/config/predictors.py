"""What a model version answers with on a cluster, and what scales it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from components.shared.config.base import Settings
from components.shared.config.names import (
    NAME_OR_NOTHING,
    Address,
    Key,
    KeyOrNothing,
    LabelValue,
    SubdomainOrNothing,
)
from components.shared.config.quantities import Cores, Memory, Sized


class Prometheus(Settings):
    """Prometheus, as KEDA asks it in mode Standard."""

    address: Address = "http://prometheus-operated.monitoring.svc:9090"
    """Its address."""
    authentication: SubdomainOrNothing = ""
    """TriggerAuthentication of KEDA; empty means none."""


class PredictorScaling(Settings):
    """What scales the pods of a predictor between `replicas` and `max_replicas`. Mode Knative has an
    autoscaler of its own, and takes `down_seconds` alone."""

    by: Literal["", "cpu", "requests"] = ""
    """`cpu` (HorizontalPodAutoscaler) or `requests` (KEDA: requests in hand at the fronts, and vLLM's queue);
    empty means `cpu` for classic and `requests` for LLM twins."""
    cpu_percent: int = Field(default=70, ge=1, le=100)
    """Target of `cpu`, percent of the requested cores."""
    requests_per_replica: int = Field(default=16, ge=1, le=100_000)
    """Target of `requests`: requests in hand at the fronts, per pod."""
    waiting_per_replica: int = Field(default=4, ge=1, le=100_000)
    """Target of `requests`: requests in vLLM's queue, per pod."""
    down_seconds: int = Field(default=600, ge=0, le=3_600)
    """Seconds of less load before pods go."""


class PredictorWork(Sized):
    """What one predictor, an InferenceService of one model version, runs with."""

    in_front: bool = False
    """The front loads the model itself and no predictor is made: for small models, and for clusters without
    a GPU; where all twins do so, nothing asks the Kubernetes API server. A foundation model of a `package:`
    answers there anyway, because only our images hold it."""
    runtime: SubdomainOrNothing = ""
    """ServingRuntime or ClusterServingRuntime; empty lets KServe choose one by the model's format."""
    cpu: Cores = "500m"
    """Requested cores."""
    cpu_limit: Cores = "2"
    """Most cores."""
    memory: Memory = "1Gi"
    """Requested memory."""
    memory_limit: Memory = "2Gi"
    """Most memory; above it the pod is killed."""
    gpus: int = Field(default=0, ge=0, le=16)
    """Accelerators of one pod; an LLM is split over all of them."""
    shared_memory: Memory = "8Gi"
    """Size of `/dev/shm` of an LLM with accelerators; it counts as memory."""
    pool: str = ""
    """Pool of nodes, a name in `cluster.pools`; empty means any node."""
    runtime_class: str = Field(default="", pattern=NAME_OR_NOTHING)
    """RuntimeClass of the pods, such as `nvidia` where containers do not get GPUs by the default one."""
    replicas: int = Field(default=1, ge=0, le=1_000)
    """Pods at the least; 0 with `scaling.by: requests`, where a request at the front wakes the first."""
    max_replicas: int = Field(default=1, ge=1, le=1_000)
    """Pods at the most; above `replicas` the stage makes what `scaling` says."""
    scaling: PredictorScaling = PredictorScaling()
    """What scales the pods."""
    spread: KeyOrNothing = "kubernetes.io/hostname"
    """Node label over whose values the pods spread where there is room; empty means that they do not."""
    grace_seconds: int = Field(default=120, ge=10, le=3_600)
    """Seconds that open answers have after a pod is asked to end, in mode Standard."""
    arguments: tuple[str, ...] = ()
    """More arguments of the model server, for example `--max-model-len=4096`."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.max_replicas < self.replicas:
            raise ValueError(f"max_replicas {self.max_replicas} is less than replicas {self.replicas}")
        if not self.replicas and self.scaling.by != "requests":
            raise ValueError("replicas 0 needs scaling.by 'requests': only the front can wake the first pod")
        return self


class Predictors(Settings):
    """How the `release` stage lets a model version answer on the cluster."""

    classic: PredictorWork = PredictorWork(runtime="kserve-xgbserver")
    """Predictors of classic twins."""
    llm: PredictorWork = PredictorWork(
        runtime="kserve-huggingfaceserver", cpu="4", cpu_limit="8", memory="16Gi", memory_limit="32Gi", gpus=1
    )
    """Predictors of LLM twins."""
    twins: dict[str, PredictorWork] = Field(default={})
    """Twins whose predictors run with something else, by name."""
    labels: dict[Key, LabelValue] = Field(default={})
    """More labels of the InferenceServices and their pods; the chart names its `commonLabels` here."""
    priority_class: SubdomainOrNothing = ""
    """PriorityClass of their pods; the chart names its own where `priorityClasses` makes them."""
    ready_seconds: int = Field(default=1_800, ge=1, le=86_400)
    """Longest wait for a predictor; then the candidate is taken back and the champion stays."""
    failing_seconds: int = Field(default=120, ge=0, le=86_400)
    """How long a failure that may mend itself (an image that cannot be pulled, a crash loop) is watched."""
    kept: int = Field(default=2, ge=0, le=20)
    """Earlier champions whose predictors stay, so that a rollback has nothing to wait for."""
    max_gpus: int | None = Field(default=None, ge=0, le=100_000)
    """Accelerators that predictors of all twins in the namespace may take together, each at its
    `max_replicas`; stage `release` makes none beyond them. The predictors of champion, candidate and `kept`
    count at the same time. Not set means no limit; the chart names what `limits.gpus` leaves."""
    force: bool = False
    """Take fields of an InferenceService that somebody else has set."""
    artifacts_claim: str = Field(default="", pattern=NAME_OR_NOTHING)
    """PersistentVolumeClaim whose root is the folder of `stores.artifacts`, where that is no object store."""
