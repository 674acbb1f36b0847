"""The Kubeflow Pipelines server, and what runs on it on a schedule."""

from pydantic import Field

from components.shared.config.base import Settings
from components.shared.config.names import NAME_OR_NOTHING, Address, PipelineName, Variable


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
