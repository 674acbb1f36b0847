"""What stages run with on a cluster."""

from typing import Self

from pydantic import Field, model_validator

from components.shared.config.base import Settings
from components.shared.config.names import (
    NAME_OR_NOTHING,
    DataKey,
    ImageName,
    ObjectName,
    StageName,
    Variable,
)
from components.shared.config.quantities import Cores, Memory, Sized


class Retries(Settings):
    """How often a failed task is tried again; a stage that is run twice commits once."""

    count: int = Field(default=2, ge=0, le=20)
    """Tries after the first."""
    wait_seconds: int = Field(default=30, ge=0, le=3_600)
    """Time before the first new try."""
    factor: float = Field(default=2.0, ge=1, le=10)
    """What the time is multiplied by from one try to the next."""


class StageWork(Sized):
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
    gpus: int = Field(default=0, ge=0, le=1)
    """Accelerators of the pod; a stage is one process, which uses one. More train by `cluster.training`."""
    shared_memory: Memory | None = None
    """Size of `/dev/shm`; it counts as memory."""
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
    key: DataKey
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
