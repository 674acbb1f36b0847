"""Values of the chart. Defaults and descriptions stand in `values.yaml`, and only there."""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from components.shared.config.names import Key
from components.shared.metrics.metric import SECONDS
from tools.chart.scalars import (
    Annotations,
    Cidr,
    Closed,
    Duration,
    FilePath,
    Folder,
    Free,
    ImageRef,
    Labels,
    ListenAddress,
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
from tools.chart.twin import Affinity, Resources, Storage, Toleration, Twin, TwinDefaults

#: A share that can be promised and missed.
Ratio = Annotated[float, Field(gt=0, lt=1)]

#: Seconds up to a month.
Age = Annotated[int, Field(ge=60, le=2_678_400)]

#: Bound of a bucket of the latency histograms, as Prometheus writes it.
Bucket = Annotated[str, Field(json_schema_extra={"enum": [str(one) for one in SECONDS]})]

#: Address up to and with a slash, or nothing.
Prefix = Annotated[str, Field(pattern=r"^(https?://[^\s\"]+/)?$")]


class Remote(Closed, total=False):
    key: Required[Annotated[str, Field(min_length=1)]]
    property: str


class Store(Closed, total=False):
    name: Required[Name]
    kind: Literal["SecretStore", "ClusterSecretStore"]


class External(Closed, total=False):
    store: Required[Store]
    data: Required[Annotated[dict[SecretKey, Remote], Field(min_length=1)]]
    refreshInterval: Duration


# `for` is a word of Python, so this one is written as a call.
_For = TypedDict("_For", {"name": Name, "for": list[Literal["front", "console", "migration", "test"]]})


class Secret(Closed, _For, total=False):
    env: dict[Variable, SecretKey]
    mount: Folder
    external: External


class CaBundle(Closed, total=False):
    configMap: NameOrNothing
    key: SecretKey


class Limits(Closed, total=False):
    gpus: Annotated[int, Field(ge=0, le=10_000)]


class Spread(Closed, total=False):
    enabled: bool
    topologyKey: Key
    whenUnsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"]


class Pods(Closed, total=False):
    user: User
    address: ListenAddress
    tmpSize: Size
    annotations: Annotations
    nodeSelector: Labels
    tolerations: list[Toleration]
    affinity: Affinity
    spread: Spread


class Console(Closed, total=False):
    enabled: bool
    replicas: Annotated[int, Field(ge=1, le=100)]
    resources: Resources
    serviceAccount: Name
    storage: Storage


class ServiceAccounts(Closed, total=False):
    create: bool
    existing: list[Name]
    annotations: Annotations
    storageSecrets: list[Name]


class Subject(Closed):
    name: Name
    namespace: Name


class Rbac(Closed, total=False):
    create: bool
    pipelineSubjects: list[Subject]
    trainer: bool
    workflow: bool
    kfpRuns: bool


class IpBlock(Closed):
    cidr: Cidr
    # `except` is a word of Python; whoever needs it names several blocks.


class Peer(Closed, total=False):
    # An API server refuses a peer that names nobody, and addresses beside selectors.
    __pydantic_config__ = ConfigDict(  # type: ignore[misc]
        extra="forbid",
        json_schema_extra={"minProperties": 1, "if": {"required": ["ipBlock"]}, "then": {"maxProperties": 1}},
    )
    namespaceSelector: Free
    podSelector: Free
    ipBlock: IpBlock


class StoreWay(Closed):
    name: Name
    to: Annotated[list[Peer], Field(min_length=1)]
    ports: Annotated[list[Port], Field(min_length=1)]


class NetworkPolicies(Closed, total=False):
    enabled: bool
    dns: list[Peer]
    callers: list[Peer]
    gateway: list[Peer]
    gatewayPorts: Annotated[list[Port], Field(min_length=1)]
    monitoring: list[Peer]
    stores: list[StoreWay]
    kubernetes: list[Peer]
    models: list[Peer]
    modelPorts: list[Port]


class Budgets(Closed, total=False):
    enabled: bool
    maxUnavailable: Annotated[int, Field(ge=1, le=100)]


class PriorityClasses(Closed, total=False):
    create: bool
    front: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
    predictor: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]


class PodMonitors(Closed, total=False):
    enabled: bool
    interval: Duration


class Latency(Closed, total=False):
    ratio: Ratio
    seconds: Bucket


class Objectives(Closed, total=False):
    availability: Ratio
    classic: Latency
    llm: Latency
    dataAgeSeconds: Age
    monitorAgeSeconds: Age


class Rules(Closed, total=False):
    enabled: bool
    runbooks: Prefix
    objectives: Objectives


class Dashboards(Closed, total=False):
    enabled: bool
    labels: Labels


class Alertmanager(Closed, total=False):
    enabled: bool
    keySecret: NameOrNothing
    keySecretKey: SecretKey


class Monitoring(Closed, total=False):
    labels: Labels
    podMonitors: PodMonitors
    rules: Rules
    dashboards: Dashboards
    alertmanager: Alertmanager


class Runtime(Closed, total=False):
    create: bool
    image: ImageRef


class Runtimes(Closed, total=False):
    xgboost: Runtime
    huggingface: Runtime


class Migration(Closed, total=False):
    enabled: bool
    retries: Annotated[int, Field(ge=0, le=10)]
    timeoutSeconds: Seconds
    resources: Resources


class Tests(Closed, total=False):
    enabled: bool
    instances: dict[TwinName, Annotated[list[Free], Field(min_length=1)]]


class Values(Closed, total=False):
    """The values of the chart but `config`, whose schema is that of `Config`."""

    nameOverride: PrefixOrNothing
    fullnameOverride: PrefixOrNothing
    commonLabels: Labels
    files: dict[FilePath, str]
    secrets: list[Secret]
    environment: dict[Variable, str]
    caBundle: CaBundle
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
    monitoring: Monitoring
    servingRuntimes: Runtimes
    migration: Migration
    tests: Tests
