"""Values of the chart. Defaults and descriptions stand in `values.yaml`, and only there."""

from typing import Annotated, Literal

from chart.scalars import (
    CLOSED,
    Address,
    Annotations,
    Duration,
    FilePath,
    Folder,
    Free,
    ImageRef,
    Labels,
    Name,
    NameOrNothing,
    Port,
    PrefixOrNothing,
    Seconds,
    SecretKey,
    Size,
    TwinName,
    User,
    Variable,
)
from chart.twin import Resources, Storage, Toleration, Twin, TwinDefaults
from pydantic import Field
from typing_extensions import TypedDict

from components.shared.metric import SECONDS

#: A share that can be promised and missed.
Ratio = Annotated[float, Field(gt=0, lt=1)]

#: Seconds up to a month.
Age = Annotated[int, Field(ge=60, le=2_678_400)]

#: Bound of a bucket of the latency histograms, as Prometheus writes it.
Bucket = Annotated[str, Field(json_schema_extra={"enum": [str(one) for one in SECONDS]})]

#: Address up to and with a slash, or nothing.
Prefix = Annotated[str, Field(pattern=r"^(https?://[^\s\"]+/)?$")]


class _Remote(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    property: str


class Remote(_Remote):
    __pydantic_config__ = CLOSED
    key: Annotated[str, Field(min_length=1)]


class _Store(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    kind: Literal["SecretStore", "ClusterSecretStore"]


class Store(_Store):
    __pydantic_config__ = CLOSED
    name: Name


class _External(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    refreshInterval: Duration


class External(_External):
    __pydantic_config__ = CLOSED
    store: Store
    data: Annotated[dict[SecretKey, Remote], Field(min_length=1)]


class _Secret(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    env: dict[Variable, SecretKey]
    mount: Folder
    external: External


# `for` is a word of Python, so this one is written as a call.
_For = TypedDict("_For", {"name": Name, "for": list[Literal["front", "console", "migration", "test"]]})


class Secret(_Secret, _For):
    __pydantic_config__ = CLOSED


class CaBundle(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    configMap: NameOrNothing
    key: SecretKey


class Kserve(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    servicePort: Port
    knativePodFields: bool


class Limits(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    gpus: Annotated[int, Field(ge=0, le=10_000)]


class Spread(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    topologyKey: Annotated[str, Field(min_length=1)]
    whenUnsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"]


class Pods(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    user: User
    tmpSize: Size
    annotations: Annotations
    nodeSelector: Labels
    tolerations: list[Toleration]
    spread: Spread


class Console(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    replicas: Annotated[int, Field(ge=1, le=100)]
    resources: Resources
    serviceAccount: Name
    storage: Storage


class ServiceAccounts(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    create: bool
    annotations: Annotations
    storageSecrets: list[Name]


class Subject(TypedDict):
    __pydantic_config__ = CLOSED
    name: Name
    namespace: Name


class Rbac(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    create: bool
    pipelineSubjects: list[Subject]
    trainer: bool
    workflow: bool
    kfpRuns: bool


class IpBlock(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    cidr: Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
    # `except` is a word of Python; whoever needs it names several blocks.


class Peer(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    namespaceSelector: Free
    podSelector: Free
    ipBlock: IpBlock


class StoreWay(TypedDict):
    __pydantic_config__ = CLOSED
    name: Name
    to: Annotated[list[Peer], Field(min_length=1)]
    ports: Annotated[list[Port], Field(min_length=1)]


class NetworkPolicies(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    dns: list[Peer]
    callers: list[Peer]
    gateway: list[Peer]
    monitoring: list[Peer]
    stores: list[StoreWay]
    kubernetes: list[Peer]
    models: list[Peer]
    modelPorts: list[Port]


class Budgets(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    maxUnavailable: Annotated[int, Field(ge=1, le=100)]


class PriorityClasses(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    create: bool
    front: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
    predictor: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]


class Prometheus(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    address: Address
    authentication: NameOrNothing


class PodMonitors(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    interval: Duration


class Latency(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    ratio: Ratio
    seconds: Bucket


class Objectives(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    availability: Ratio
    classic: Latency
    llm: Latency
    dataAgeSeconds: Age
    monitorAgeSeconds: Age


class Rules(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    runbooks: Prefix
    objectives: Objectives


class Dashboards(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    labels: Labels


class Alertmanager(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    keySecret: NameOrNothing
    keySecretKey: SecretKey


class Monitoring(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    labels: Labels
    podMonitors: PodMonitors
    rules: Rules
    dashboards: Dashboards
    alertmanager: Alertmanager


class Runtime(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    create: bool
    image: ImageRef


class Runtimes(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    xgboost: Runtime
    huggingface: Runtime


class Migration(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    retries: Annotated[int, Field(ge=0, le=10)]
    timeoutSeconds: Seconds
    resources: Resources


class Tests(TypedDict, total=False):
    __pydantic_config__ = CLOSED
    enabled: bool
    instances: dict[TwinName, Annotated[list[Free], Field(min_length=1)]]


class Values(TypedDict, total=False):
    """The values of the chart but `config`, whose schema is that of `Config`."""

    __pydantic_config__ = CLOSED
    nameOverride: PrefixOrNothing
    fullnameOverride: PrefixOrNothing
    commonLabels: Labels
    files: dict[FilePath, str]
    secrets: list[Secret]
    environment: dict[Variable, str]
    caBundle: CaBundle
    kserve: Kserve
    twins: list[Twin]
    twinDefaults: TwinDefaults
    limits: Limits
    pods: Pods
    console: Console
    serviceAccounts: ServiceAccounts
    rbac: Rbac
    networkPolicies: NetworkPolicies
    podDisruptionBudgets: Budgets
    priorityClasses: PriorityClasses
    prometheus: Prometheus
    monitoring: Monitoring
    servingRuntimes: Runtimes
    migration: Migration
    tests: Tests
