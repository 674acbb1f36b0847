"""A release's predictor on the cluster: ready before the traffic flips, gone when nobody needs it."""

from collections.abc import Callable

from components.adapters.deployers import deployer
from components.adapters.warehouse import Warehouse
from components.runtime import champion
from components.shared.config import Config
from components.shared.releases import Release

Report = Callable[[str], None]


def deployed(config: Config, warehouse: Warehouse, release: Release, report: Report) -> Release:
    """The release with the URI of its ready predictor; on a laptop the release as it is.

    Raises:
        ClusterError: The predictor did not become ready, or the cluster refuses it; nothing that answers is
            touched.
    """
    answering = release.model_version in _versions(config, warehouse, release.twin, kept=0)
    with deployer(config) as opened:
        uri = opened.deploy(release, report, answering=answering)
    return release.model_copy(update={"predictor": uri})


def cleaned(config: Config, warehouse: Warehouse, twin: str, report: Report) -> None:
    """Remove predictors of model versions that neither answer nor are a step of rollback away."""
    kept = config.cluster.predictors.kept
    with deployer(config) as opened:
        gone = opened.clean(twin, _versions(config, warehouse, twin, kept=kept))
    if gone:
        report(f"no longer needed, deleted: {', '.join(gone)}")


def _versions(config: Config, warehouse: Warehouse, twin: str, *, kept: int) -> set[str]:
    """Model versions of the releases that the traffic names, and of so many earlier champions."""
    if config.profile == "local" or not (now := champion.traffic(warehouse, twin)):
        return set()
    return {champion.read_release(warehouse, twin, one).model_version for one in now.named(kept)}
