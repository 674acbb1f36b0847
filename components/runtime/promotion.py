"""A person lets a release answer: its predictor first, then the traffic, then the registry's alias."""

from collections.abc import Callable

from components.adapters.stores import Stores
from components.runtime import champion, deployment
from components.shared.config import Config
from components.shared.releases import Release

#: Told what is waited for.
Report = Callable[[str], None]


def promoted(config: Config, twin: str, release: str, report: Report) -> Release:
    """Let a stored release answer; on a cluster once its predictor is ready.

    Raises:
        NotFoundError: The twin has no such release.
        ConflictError: Somebody else changed the traffic in the same moment.
        ClusterError: Its predictor did not become ready.
    """
    config.twin(twin)
    stores = Stores(config)
    found = champion.read_release(stores.warehouse, twin, release)
    found = deployment.deployed(config, stores.warehouse, found, report)
    champion.promote(stores.warehouse, found)
    deployment.cleaned(config, stores.warehouse, twin, report)
    stores.registry.promote(twin, found.model_version)
    return found


def rolled_back(config: Config, twin: str, report: Report) -> Release:
    """Let the release before the champion answer again; on a cluster once its predictor is ready.

    Raises:
        NotFoundError: There is no release to go back to.
        ConflictError: Somebody else changed the traffic in the same moment.
        ClusterError: Its predictor did not become ready.
    """
    config.twin(twin)
    stores = Stores(config)
    target = champion.earlier(stores.warehouse, twin)
    champion.store(stores.warehouse, deployment.deployed(config, stores.warehouse, target, report))
    found = champion.rollback(stores.warehouse, twin)
    stores.registry.promote(twin, found.model_version)
    return found
