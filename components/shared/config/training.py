"""Fine-tuning on a cluster."""

from pydantic import Field

from components.shared.config.names import ObjectName
from components.shared.config.quantities import Cores, Memory, Sized


class Training(Sized):
    """Fine-tuning on more than one GPU or node, by a TrainJob of Kubeflow Trainer.

    The stage then asks for no GPU itself, whatever `stages.finetune` says: it makes the TrainJob, follows it,
    for as long as `wait_seconds`, and commits what it made.
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
