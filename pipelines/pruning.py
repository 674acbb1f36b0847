"""What a cluster still holds for twins that are gone: list it, delete it."""

from collections.abc import Sequence

from components.adapters.kubernetes.access import access
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.leftovers import Leftover, delete, leftovers
from components.shared.config import Config
from components.shared.errors import RequestError


def pruned(config: Config, twins: Sequence[str], *, deleting: bool = False) -> list[dict[str, str]]:
    """Objects of twins that the configuration does not have, and that are deleted on demand.

    Args:
        config: Says which twins there are, and how the API server is reached.
        twins: Only these; empty means every one that is gone.
        deleting: Whether the objects are deleted; only of twins that are named.

    Returns:
        What was found, with what became of it.

    Raises:
        RequestError: A named twin is configured, or none is named and something is to be deleted.
        ClusterError: The cluster refuses, or cannot be reached.
    """
    for one in twins:
        if one in config.twins:
            raise RequestError(
                f"twin '{one}' is in the configuration: what it has is in use",
                param="twin",
                remedy="take it out of the configuration first, and upgrade the chart",
            )
    if deleting and not twins:
        raise RequestError(
            "no twin is named, and another installation in the namespace may have some of these",
            param="twin",
            remedy="look at the list without --delete, then name the twins",
        )
    api = Api(access(config.cluster))
    try:
        found = [one for one in leftovers(api, config.twins) if not twins or one.twin in twins]
        if deleting:
            delete(api, found)
    finally:
        api.close()
    return [_row(one, deleting) for one in found]


def _row(one: Leftover, deleted: bool) -> dict[str, str]:
    return {
        "twin": one.twin,
        "kind": one.kind,
        "name": one.name,
        "state": "deleted" if deleted else "left",
    }
