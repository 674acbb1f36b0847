"""Releases on the command line: list, promote, roll back. The registry's alias follows the traffic."""

from collections.abc import Sequence

from components.adapters.stores import Stores
from components.runtime import champion
from components.shared.config import Config
from components.shared.releases import Release, Traffic


def listed(config: Config, twins: Sequence[str] | None) -> list[dict[str, str]]:
    """Every release with its role, newest first."""
    warehouse = Stores(config).warehouse
    rows = []
    for twin in twins or list(config.twins):
        config.twin(twin)
        now = champion.traffic(warehouse, twin)
        found = sorted(champion.releases(warehouse, twin), key=lambda one: one.created, reverse=True)
        rows += [_row(one, now) for one in found]
    return rows


def _row(one: Release, now: Traffic | None) -> dict[str, str]:
    return {
        "twin": one.twin,
        "release": one.id,
        "role": _role(one.id, now),
        "model": one.model_version,
        "created": one.created,
        "commit": one.commit[:10] + (" dirty" if one.dirty else ""),
        "trained on": one.trained_on,
    }


def _role(release: str, now: Traffic | None) -> str:
    if now and release == now.champion:
        return "champion"
    return "earlier champion" if now and release in now.history else "candidate"


def promoted(config: Config, twin: str, release: str) -> dict[str, str]:
    """Let a stored release answer.

    Raises:
        NotFoundError: The twin has no such release.
    """
    config.twin(twin)
    stores = Stores(config)
    found = champion.read_release(stores.warehouse, twin, release)
    champion.promote(stores.warehouse, found)
    return _followed(stores, found)


def rolled_back(config: Config, twin: str) -> dict[str, str]:
    """Let the release before the champion answer again.

    Raises:
        NotFoundError: There is no release to go back to.
    """
    config.twin(twin)
    stores = Stores(config)
    return _followed(stores, champion.rollback(stores.warehouse, twin))


def _followed(stores: Stores, release: Release) -> dict[str, str]:
    stores.registry.promote(release.twin, release.model_version)
    return {"twin": release.twin, "release": release.id, "model": release.model_version}
