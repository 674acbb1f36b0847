"""What a Kubernetes cluster runs the stages with: images, nodes, retries, secrets, the KFP server.

Read when pipelines are compiled for a cluster or submitted to one, and by the stages that talk to Kubernetes.
A run on a laptop reads none of it.
"""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from components.shared.config.base import Kind, Settings
from components.shared.config.kfp import Kfp, Recurring
from components.shared.config.names import Address, Digest, ImageName, ObjectName, StageName, Variable
from components.shared.config.nodes import Pool
from components.shared.config.predictors import Predictors, PredictorWork, Prometheus
from components.shared.config.stages import SecretVariable, StageWork, Volume
from components.shared.config.training import Training


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
    service_port: int = Field(default=80, ge=1, le=65_535)
    """Port of the Services that KServe makes in mode Standard; 8080 where it makes them headless."""
    knative_pod_fields: bool = False
    """Whether Knative's feature flags for pod security context, node selection, tolerations, spread and
    priority are on; mode Knative only."""
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
        """What a stage runs with.

        Where a TrainJob trains, stage `finetune` only follows it: it gets no accelerator and no pool, and as
        long as it may wait for the TrainJob.
        """
        found = self.stages.get(stage, StageWork())
        if stage != "finetune" or self.training.processes == 1:
            return found
        longest = max(found.timeout_seconds, self.training.wait_seconds)
        follows = {"gpus": 0, "pool": "", "shared_memory": None, "timeout_seconds": longest}
        return found.model_copy(update=follows)

    def predictor(self, twin: str, kind: Kind) -> PredictorWork:
        """What the predictors of a twin run with."""
        default = self.predictors.llm if kind == "llm" else self.predictors.classic
        return self.predictors.twins.get(twin, default)
