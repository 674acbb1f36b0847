"""What lets a release answer: the front's own process on a laptop, InferenceServices on a cluster."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from components.shared.config import Config
from components.shared.endpoints import endpoint
from components.shared.releases import Release


class Deployer(Protocol):
    """Makes predictors ready and takes back those nobody needs."""

    def deploy(self, release: Release, report: Callable[[str], None], *, answering: bool = False) -> str:
        """Make a release's predictor ready; its URI, empty where the front answers itself."""

    def clean(self, twin: str, wanted: Collection[str]) -> list[str]:
        """Remove a twin's predictors but those of the wanted model versions; the names of what is gone."""

    def withdraw(self, release: Release) -> list[str]:
        """Remove the predictor of a release's model version and no other; the name of what is gone."""


class InProcess:
    """Fronts load the model themselves: there is nothing to make, and nothing to remove."""

    def deploy(self, release: Release, report: Callable[[str], None], *, answering: bool = False) -> str:
        """The URI it has, which is none unless another profile made it answer elsewhere."""
        return release.predictor

    def clean(self, twin: str, wanted: Collection[str]) -> list[str]:
        """Nothing is gone."""
        return []

    def withdraw(self, release: Release) -> list[str]:
        """Nothing is gone."""
        return []


def answers_without(config: Config, release: Release) -> str:
    """Why a release answers on a cluster without a predictor of its own; empty where it needs one.

    Nothing is asked of a cluster for that: an installation whose twins all answer in their fronts has neither
    rights to InferenceServices nor a way to the API server.
    """
    if config.profile == "local":
        return ""
    model = release.answering.foundation.model if release.answering else release.model_endpoint
    if endpoint(model, "model"):
        return "the model answers elsewhere already, and the front calls it"
    if model.startswith("package:"):
        return f"the front answers itself; its image holds {model}"
    if config.cluster.predictor(release.twin, release.kind).in_front:
        return "the front answers itself, as cluster.predictors says"
    return ""


@contextmanager
def deployer(config: Config) -> Iterator[Deployer]:
    """The deployer of the configuration's profile; its connections last as long as the block.

    Raises:
        ConfigError: There is no API server to talk to.
    """
    if config.profile == "local":
        yield InProcess()
        return
    from components.adapters.kubernetes.access import access
    from components.adapters.kubernetes.api import Api
    from components.adapters.kubernetes.deployer import KServeDeployer

    api = Api(access(config.cluster))
    try:
        yield KServeDeployer(api, config.cluster, config.stores.artifacts)
    finally:
        api.close()
