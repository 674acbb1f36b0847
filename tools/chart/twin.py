"""Values of one twin. Defaults and descriptions stand in `values.yaml`, and only there."""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from tools.chart.scalars import (
    Closed,
    Cores,
    Free,
    ImageRef,
    Labels,
    Memory,
    ModelUri,
    Name,
    NameOrNothing,
    Percent,
    Quantity,
    Replicas,
    Seconds,
    Size,
    TwinName,
    User,
)


class Amounts(TypedDict, total=False, extra_items=Quantity):  # type: ignore[call-arg]
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    cpu: Cores
    memory: Memory


class Resources(Closed, total=False):
    requests: Amounts
    limits: Amounts


class Toleration(Closed, total=False):
    key: str
    operator: Literal["Exists", "Equal"]
    value: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    tolerationSeconds: Annotated[int, Field(ge=0)]


class Storage(Closed, total=False):
    claim: NameOrNothing
    create: bool
    accessMode: Literal["ReadWriteOnce", "ReadWriteMany"]
    storageClass: NameOrNothing
    size: Size


class Scaling(Closed, total=False):
    by: Literal["", "cpu", "requests", "none"]
    minReplicas: Replicas
    maxReplicas: Annotated[int, Field(ge=1, le=1_000)]
    cpuPercent: Percent
    requestsPerReplica: Annotated[int, Field(ge=1, le=100_000)]
    waitingPerReplica: Annotated[int, Field(ge=1, le=100_000)]
    scaleDownSeconds: Annotated[int, Field(ge=0, le=3_600)]


class Front(Closed, total=False):
    enabled: bool
    resources: Resources
    startupSeconds: Seconds
    graceSeconds: Seconds
    scaling: Scaling


class Traffic(Closed, total=False):
    timeoutSeconds: Annotated[int, Field(ge=1, le=3_600)]
    public: bool
    concurrency: Annotated[int, Field(ge=0, le=1_000)]


class Adapter(Closed):
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
    uri: Annotated[str, Field(pattern=r"^(s3|gs|hf|pvc|oci|https)://[^\s]+$")]


class Cache(Closed, total=False):
    enabled: bool
    scope: Literal["Namespace", "Cluster"]
    modelSize: Size
    nodeGroups: list[Name]


class Predictor(Closed, total=False):
    enabled: bool
    engine: Literal["InferenceService", "LLMInferenceService"]
    format: Literal["", "xgboost", "sklearn", "lightgbm", "mlflow", "huggingface", "vLLM"]
    runtime: NameOrNothing
    image: ImageRef
    modelName: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")]
    storageUri: ModelUri
    adapters: list[Adapter]
    args: list[str]
    gpus: Annotated[int, Field(ge=0, le=16)]
    accelerator: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")]
    sharedMemory: Size
    resources: Resources
    startupSeconds: Seconds
    graceSeconds: Seconds
    nodeSelector: Labels
    tolerations: list[Toleration]
    affinity: Free
    runtimeClass: NameOrNothing
    user: User
    scaling: Scaling
    cache: Cache


class TwinDefaults(Closed, total=False):
    front: Front
    traffic: Traffic
    storage: Storage
    predictor: Predictor


class Twin(TwinDefaults, total=False):
    name: Required[TwinName]
    kind: Required[Literal["classic", "llm"]]
