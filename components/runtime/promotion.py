"""A person lets a release answer: predictor, running fronts, traffic, then the registry's aliases."""

from collections.abc import Callable

from components.adapters.registry import TrackingError, impatient
from components.adapters.stores import Stores
from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, deployment, standby
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


def _told(stores: Stores, twin: str, report: Report) -> None:
    """Let the aliases follow; a change has not failed because a tracking server is away."""
    try:
        with impatient():
            follow(stores, twin)
    except TrackingError as error:
        report(f"the traffic has changed; the registry's aliases follow with the next run: {error}")


def promoted(config: Config, twin: str, release: str, report: Report) -> Release:
    """Let a stored release answer, once its predictor is ready and the running fronts have it open.

    Raises:
        NotFoundError: The twin has no such release.
        ConflictError: Somebody else changed the traffic in the same moment.
        ClusterError: Its predictor did not become ready.
    """
    config.twin(twin)
    stores = Stores(config)
    found = champion.read_release(stores.warehouse, twin, release)
    found = deployment.deployed(config, stores.warehouse, found, report)
    answer(config, stores.warehouse, found, report)
    _told(stores, twin, report)
    deployment.cleaned(config, stores.warehouse, twin, report)
    return found


def answer(config: Config, warehouse: Warehouse, release: Release, report: Report) -> None:
    """Store a release and let it answer, once the running fronts have it open.

    Raises:
        ConflictError: Somebody else changed the traffic in the same moment.
    """
    champion.store(warehouse, release)
    standby.prepare(config, warehouse, release, report)
    champion.promote(warehouse, release)
    standby.withdraw(warehouse, release.twin, [release.id])


def rolled_back(config: Config, twin: str, report: Report, *, left: str = "") -> Release:
    """Let the release before the champion answer again; on a cluster once its predictor is ready.

    A rollback that was killed after the traffic had changed is brought to its end, and goes no step further.
    On a cluster the predictor of the release that was left is deleted, see `deployment.withdrawn`.

    Args:
        config: Of the twin.
        twin: Its name.
        report: Told what is waited for, and why nothing changes.
        left: Release to get away from; where another one answers, the traffic stays. Empty is the champion.

    Raises:
        NotFoundError: There is no release to go back to, or none of the name `left`.
        ConflictError: Somebody else changed the traffic in the same moment.
        ClusterError: Its predictor did not become ready.
    """
    config.twin(twin)
    stores = Stores(config)
    warehouse = stores.warehouse
    if reason := _done_already(warehouse, twin, left):
        report(reason)
        found = champion.read_release(warehouse, twin, champion.require_traffic(warehouse, twin).champion)
    else:
        target = champion.earlier(warehouse, twin)
        champion.store(warehouse, deployment.deployed(config, warehouse, target, report))
        found = champion.rollback(warehouse, twin)
    _told(stores, twin, report)
    now = champion.require_traffic(warehouse, twin)
    deployment.withdrawn(config, warehouse, twin, champion.unfinished(warehouse, now), report)
    champion.finished(warehouse, twin)
    return found


def _done_already(warehouse: Warehouse, twin: str, left: str) -> str:
    """Why a rollback has nothing to change in the traffic; empty where it has.

    Raises:
        NotFoundError: The twin has no release, or none of the name `left`.
    """
    now = champion.require_traffic(warehouse, twin)
    if left:
        champion.read_release(warehouse, twin, left)
        return "" if now.champion == left else f"release {left} is not the champion: the traffic stays"
    rolled = champion.unfinished(warehouse, now)
    return f"the rollback from {rolled} to {now.champion} was interrupted: it ends now" if rolled else ""
