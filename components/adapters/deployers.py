"""What lets a release answer: the front's own process on a laptop, InferenceServices on a cluster."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from components.shared.config import Config
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
