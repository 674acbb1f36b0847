"""A person lets a release answer: its predictor first, then the traffic, then the registry's aliases."""

from collections.abc import Callable

from components.adapters.stores import Stores
from components.runtime import champion, deployment
from components.shared.config import Config
from components.shared.releases import Release

#: Told what is waited for.
Report = Callable[[str], None]

#: Warehouse collection: the release that the registry's aliases name, by twin.
ALIASES = "registry_aliases"


def follow(stores: Stores, twin: str) -> None:
    """Let the registry's aliases name the champion's model version and prompt.

    The traffic is the truth and flips first. Whoever comes after a process that was killed in between repairs
    the aliases here; where the warehouse says that they follow already, MLflow is not even loaded.
    """
    found = champion.champion_of(stores.warehouse, twin)
    told = stores.warehouse.get(ALIASES, twin)
    if found is None or (told and told["release"] == found.id):
        return
    stores.registry.promote(twin, found.model_version, found.prompt)
    stores.warehouse.apply({ALIASES: ([{"_id": twin, "twin": twin, "release": found.id}], ())})


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
    follow(stores, twin)
    deployment.cleaned(config, stores.warehouse, twin, report)
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
    follow(stores, twin)
    return found
