"""What a Kubernetes cluster runs the stages with: images, nodes, retries, secrets, the KFP server.

Read when pipelines are compiled for a cluster or submitted to one, and by the stages that talk to Kubernetes.
A run on a laptop reads none of it.
"""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from components.shared.config.base import Settings
from components.shared.config.names import NAME_OR_NOTHING, Address, Digest, ObjectName, Variable
from components.shared.config.predictors import Predictors, PredictorWork, Prometheus
from components.shared.config.quantities import Cores, Memory

ImageName = Literal["pipeline", "train", "serve", "console"]
StageName = Literal[
    "collect", "validate", "materialize", "embed", "snapshot", "instruct", "train", "finetune", "evaluate",
    "gate", "release", "monitor",
]  # fmt: skip

PipelineName = Literal["collect", "features", "train", "release", "monitor", "end_to_end"]


class Images(Settings):
    """Which build of each image runs."""

    registry: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.:/_-]*[a-z0-9])?$")
    """Registry, and path inside it, that stands before `twinstack/pipeline-python`."""
    tag: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$")
    """Tag of images without a digest; empty means the version of the installed package."""
    digests: dict[ImageName, Digest] = Field(default={})
    """Digest of each image, `sha256:…`; it wins over the tag; `prod` needs one for every image."""
    pull_secrets: tuple[ObjectName, ...] = ()
    """Secrets of type `kubernetes.io/dockerconfigjson` to pull with."""


class Api(Settings):
    """The Kubernetes API server, as the stages that make objects on it reach it."""

    server: Address = ""
    """Address, for example `http://127.0.0.1:8001` of `kubectl proxy`; empty inside a pod, which knows it."""
    token_file: str = ""
    """File with a bearer token, read anew for every call; only with `server`."""
    ca_file: str = ""
    """Certificates to trust; only with `server`. Empty means those of the system."""


class Training(Settings):
    """Fine-tuning on more than one GPU or node, by a TrainJob of Kubeflow Trainer.

    The stage then asks for no GPU itself: it makes the TrainJob, follows it and commits what it made.
    """

    nodes: int = Field(default=1, ge=1, le=1_024)
    """Nodes that train together."""
    gpus: int = Field(default=0, ge=0, le=16)
    """Accelerators of each node, with one process each; 0 trains with one process a node, on its CPU. One
    process in all trains inside the stage, without a TrainJob."""
    runtime: ObjectName = "twinstack-torch"
    """ClusterTrainingRuntime, see `manifests/options/distributed-training`."""
    cpu: Cores = "4"
    """Requested cores of a node."""
    cpu_limit: Cores = "8"
    """Most cores of a node."""
    memory: Memory = "16Gi"
    """Requested memory of a node."""
    memory_limit: Memory = "32Gi"
    """Most memory of a node."""
    pool: str = ""
    """Pool of nodes, a name in `cluster.pools`; empty means any node."""
    wait_seconds: int = Field(default=86_400, ge=60, le=2_592_000)
    """Longest wait for the TrainJob, in a queue or at work."""

    @property
    def processes(self) -> int:
        """Processes in all."""
        return self.nodes * max(self.gpus, 1)


class Toleration(Settings):
    """A taint that a pod may run beside."""

    key: str = Field(min_length=1, max_length=317)
    """Key of the taint, for example `nvidia.com/gpu`."""
    operator: Literal["Exists", "Equal"] = "Exists"
    """Whether the value of the taint matters."""
    value: str = ""
    """Value of the taint, with operator `Equal`."""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """Effect of the taint; empty means every effect."""

    @model_validator(mode="after")
    def _value_has_a_meaning(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("operator 'Exists' takes no value")
        return self


class Pool(Settings):
    """Nodes of one kind."""

    node_labels: dict[str, str] = Field(min_length=1)
    """Labels that a node must carry, for example `twinstack.io/pool: gpu`."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of these nodes."""
    accelerator: str = Field(default="nvidia.com/gpu", min_length=1)
    """Resource that a stage with `gpus` asks for."""
    queue: str = Field(default="", pattern=NAME_OR_NOTHING)
    """Kueue LocalQueue that admits the pods; empty where there is no Kueue."""


class Retries(Settings):
    """How often a failed task is tried again; a stage that is run twice commits once."""

    count: int = Field(default=2, ge=0, le=20)
    """Tries after the first."""
    wait_seconds: int = Field(default=30, ge=0, le=3_600)
    """Time before the first new try."""
    factor: float = Field(default=2.0, ge=1, le=10)
    """What the time is multiplied by from one try to the next."""


class StageWork(Settings):
    """What one stage runs with. A field that is left out has the default named here."""

    image: ImageName | None = None
    """Image to run in; not set, the one that the stage names."""
    cpu: Cores = "500m"
    """Requested cores."""
    cpu_limit: Cores = "2"
    """Most cores."""
    memory: Memory = "2Gi"
    """Requested memory."""
    memory_limit: Memory = "4Gi"
    """Most memory; above it the pod is killed."""
    gpus: int = Field(default=0, ge=0, le=16)
    """Accelerators of one pod."""
    shared_memory: Memory | None = None
    """Size of `/dev/shm`, which training on several accelerators needs; it counts as memory."""
    pool: str = ""
    """Pool of nodes, a name in `cluster.pools`; empty means any node."""
    retries: Retries = Retries()
    """Tries after a failure."""
    timeout_seconds: int = Field(default=3_600, ge=60, le=604_800)
    """Longest run of one try; then the pod is ended."""
    kfp_cache: bool = False
    """Let KFP skip the task where its inputs are equal. A stage skips known work by the digest of its inputs
    anyway, and sees sources that change behind equal inputs, which KFP cannot."""


class SecretVariable(Settings):
    """One key of an existing Secret as an environment variable."""

    secret: ObjectName
    """Name of the Secret, in the namespace of the pipelines."""
    key: str = Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")
    """Key inside it."""
    variable: Variable
    """Environment variable that receives the value."""
    stages: tuple[StageName, ...] = ()
    """Stages that receive it; empty means all."""


class Volume(Settings):
    """What stages mount: a folder that they share as a store (`file:///`, `feast:///`), or certificates."""

    claim: str = Field(default="", pattern=NAME_OR_NOTHING)
    """PersistentVolumeClaim, in the namespace of the pipelines; user 65532 has to be able to write to it."""
    config_map: str = Field(default="", pattern=NAME_OR_NOTHING)
    """ConfigMap instead of a claim, for example of certificates that `SSL_CERT_FILE` in `variables` names."""
    path: str = Field(pattern=r"^/[^\s]*[^\s/]$")
    """Where it is mounted, for example `/var/lib/twinstack`."""
    stages: tuple[StageName, ...] = ()
    """Stages that mount it; empty means all."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if bool(self.claim) == bool(self.config_map):
            raise ValueError("a volume is either a claim or a config_map")
        return self


class Kfp(Settings):
    """The Kubeflow Pipelines server."""

    endpoint: Address = ""
    """Address of the API, for example `http://ml-pipeline.kubeflow:8888`, or of a port-forward."""
    ui: Address = ""
    """Address that people open, for links; empty means the endpoint."""
    token_file: str = ""
    """File with a service-account token, read anew for every call because Kubernetes renews it: a projected
    token with audience `pipelines.kubeflow.org`."""
    token_variable: Variable | None = None
    """Environment variable with a token, where no file has one."""
    ca_file: str = ""
    """Certificates to trust; empty means those of the system."""
    namespace: str = Field(default="", pattern=NAME_OR_NOTHING)
    """Profile namespace that experiments and runs belong to; empty on a server without profiles."""
    experiment: str = Field(default="twinstack", min_length=1, max_length=128)
    """Experiment of the runs."""
    poll_seconds: float = Field(default=5.0, gt=0, le=300)
    """Time between two looks at a run that is followed."""


class Recurring(Settings):
    """A pipeline that runs on a schedule."""

    pipeline: PipelineName
    """Which pipeline."""
    twin: str = Field(min_length=1)
    """Of which twin."""
    cron: str = Field(pattern=r"^\S+( \S+){4,5}$")
    """Five fields as in crontab, or six with seconds first, in UTC: `0 3 * * *` is every night at three."""
    enabled: bool = True
    """Whether it runs; one that does not stays visible."""


class ServiceAccounts(Settings):
    """Who the pods are to Kubernetes."""

    pipelines: ObjectName = "twinstack-pipelines"
    """Stages; it may do what the `release` stage does to InferenceServices, in its own namespace."""
    serving: ObjectName = "twinstack-serving"
    """Fronts and predictors; it may do nothing."""


class Cluster(Settings):
    """A Kubernetes cluster with Kubeflow Pipelines and KServe."""

    environment: Literal["dev", "prod"] = "dev"
    """`prod` demands a digest for every image."""
    namespace: ObjectName = "twinstack"
    """Namespace of pipelines and twins."""
    deployment_mode: Literal["Standard", "Knative"] = "Standard"
    """How KServe runs an InferenceService; it cannot be changed on one that exists."""
    images: Images = Images()
    """Which build of each image runs."""
    pools: dict[ObjectName, Pool] = Field(default={})
    """Kinds of nodes by name."""
    stages: dict[StageName, StageWork] = Field(default={})
    """What each stage runs with; a stage that is not named has the defaults."""
    secrets: tuple[SecretVariable, ...] = ()
    """Secrets of the stages, as environment variables."""
    variables: dict[Variable, str] = Field(default={})
    """Environment variables of the stages that are no secret, for example `AWS_ENDPOINT_URL`."""
    volumes: tuple[Volume, ...] = ()
    """Volumes of the stages."""
    service_accounts: ServiceAccounts = ServiceAccounts()
    """Who the pods are to Kubernetes."""
    kfp: Kfp = Kfp()
    """The Kubeflow Pipelines server."""
    api: Api = Api()
    """The Kubernetes API server."""
    prometheus: Prometheus = Prometheus()
    """Where KEDA reads the load of fronts and predictors."""
    predictors: Predictors = Predictors()
    """How a model version is let answer."""
    training: Training = Training()
    """How fine-tuning uses more than one GPU or node."""
    recurring: dict[ObjectName, Recurring] = Field(default={})
    """Pipelines that run on a schedule, by the name of the recurring run; `twin recurring` brings the server
    to this list."""
    ui: Address = ""
    """Address of Twinstack's console, for links."""
    pushgateway: Address = ""
    """Address of the Prometheus Pushgateway, for example `http://pushgateway.monitoring:9091`; each stage
    tells it when it ended and how long it took. Empty means that none does."""
    project: str = Field(default="/project", pattern=r"^/[^\s]*[^\s/]$")
    """Folder of the project inside the images: what relative paths start from on a cluster."""
    report_variable: Variable | None = None
    """Environment variable with an address that the end of every run is posted to as JSON; name it in
    `secrets` too, because such an address is usually a secret itself."""

    @model_validator(mode="after")
    def _pools_are_declared(self) -> Self:
        for stage, work in self.stages.items():
            if work.pool and work.pool not in self.pools:
                known = ", ".join(sorted(self.pools)) or "none is declared"
                raise ValueError(f"stages.{stage}.pool '{work.pool}' is not among pools: {known}")
        chosen = {
            "training": self.training.pool,
            "predictors.classic": self.predictors.classic.pool,
            "predictors.llm": self.predictors.llm.pool,
            **{f"predictors.twins.{name}": one.pool for name, one in self.predictors.twins.items()},
        }
        for name, pool in chosen.items():
            if pool and pool not in self.pools:
                known = ", ".join(sorted(self.pools)) or "none is declared"
                raise ValueError(f"{name}.pool '{pool}' is not among pools: {known}")
        return self

    @model_validator(mode="after")
    def _zero_is_woken(self) -> Self:
        named = (self.predictors.classic, self.predictors.llm, *self.predictors.twins.values())
        if self.deployment_mode == "Knative" and not all(one.replicas for one in named):
            raise ValueError("predictors with replicas 0 need deployment_mode 'Standard'")
        return self

    @model_validator(mode="after")
    def _production_is_pinned(self) -> Self:
        if self.environment == "prod":
            missing = [name for name in get_args(ImageName) if not self.images.digests.get(name)]
            if missing:
                raise ValueError(
                    f"environment 'prod' needs images.digests.{', images.digests.'.join(missing)}"
                )
        return self

    def work(self, stage: StageName) -> StageWork:
        """What a stage runs with."""
        return self.stages.get(stage, StageWork())

    def predictor(self, twin: str, kind: Literal["classic", "llm"]) -> PredictorWork:
        """What the predictors of a twin run with."""
        default = self.predictors.llm if kind == "llm" else self.predictors.classic
        return self.predictors.twins.get(twin, default)
