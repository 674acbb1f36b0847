"""Values of one twin. Defaults and descriptions stand in `values.yaml`, and only there."""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from components.shared.config.names import DEVICE, Device, KeyOrNothing, LabelValue
from tools.chart.scalars import (
    Closed,
    Cores,
    Free,
    Grace,
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

#: Devices are counted in whole ones.
DEVICES = {
    "patternProperties": {
        rf"^{DEVICE}$": {
            "anyOf": [{"type": "string", "pattern": "^[0-9]{1,9}$"}, {"type": "integer", "minimum": 0}]
        }
    }
}

#: What an API server says of tolerations.
TOLERATES = {
    "allOf": [
        {
            "if": {"properties": {"operator": {"const": "Exists"}}, "required": ["operator"]},
            "then": {"properties": {"value": {"const": ""}}},
            "else": {"required": ["key"], "properties": {"key": {"minLength": 1}}},
        },
        {
            "if": {"required": ["tolerationSeconds"]},
            "then": {"properties": {"effect": {"const": "NoExecute"}}, "required": ["effect"]},
        },
    ]
}


# A name with a dash is no word of Python, so this one is written as a call.
_Amounts = TypedDict("_Amounts", {"cpu": Cores, "memory": Memory, "ephemeral-storage": Quantity}, total=False)


class Amounts(Closed, _Amounts, total=False):
    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra=DEVICES)  # type: ignore[misc]


class Resources(Closed, total=False):
    requests: Amounts
    limits: Amounts


class Toleration(Closed, total=False):
    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra=TOLERATES)  # type: ignore[misc]
    key: KeyOrNothing
    operator: Literal["Exists", "Equal"]
    value: LabelValue
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    tolerationSeconds: Annotated[int, Field(ge=0)]


class NodeAffinity(Closed, total=False):
    requiredDuringSchedulingIgnoredDuringExecution: Free
    preferredDuringSchedulingIgnoredDuringExecution: list[Free]


class PodAffinity(Closed, total=False):
    requiredDuringSchedulingIgnoredDuringExecution: list[Free]
    preferredDuringSchedulingIgnoredDuringExecution: list[Free]


class Affinity(Closed, total=False):
    nodeAffinity: NodeAffinity
    podAffinity: PodAffinity
    podAntiAffinity: PodAffinity


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
    graceSeconds: Grace
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
    accelerator: Device
    sharedMemory: Size
    resources: Resources
    startupSeconds: Seconds
    graceSeconds: Grace
    nodeSelector: Labels
    tolerations: list[Toleration]
    affinity: Affinity
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
