"""Canary, shadow and fallback of a twin: set and cleared beside a champion that stays."""

from collections.abc import Mapping

from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion
from components.shared.errors import RequestError
from components.shared.releases import BUILT_IN, NOTHING, Part, Traffic

#: What `cleared` puts back.
CLEAR: Mapping[str, Part | str | None] = {"canary": None, "shadow": None, "fallback": BUILT_IN}


def changed(warehouse: Warehouse, twin: str, parts: Mapping[str, Part | str | None]) -> Traffic:
    """Set parts of a twin's traffic; those not named stay.

    Args:
        warehouse: Where the traffic document lies.
        twin: Name of the twin.
        parts: `canary` and `shadow` to a share of a release or None, `fallback` to its word or a release.

    Raises:
        NotFoundError: The twin has no champion yet, or no such release.
        RequestError: A release would stand in for itself.
        ConflictError: Somebody else changed the traffic in the same moment.
    """
    before = champion.require_traffic(warehouse, twin)
    for name, part in parts.items():
        release = part.release if isinstance(part, Part) else part
        if release is None or release in (BUILT_IN, NOTHING):
            continue
        champion.read_release(warehouse, twin, release)
        if release == before.champion:
            raise RequestError(
                f"release '{release}' is the champion already and cannot be the {name} as well",
                param=name,
                remedy="name another release, see `twin releases`",
            )
    after = before.model_copy(update=dict(parts))
    return before if after == before else champion.change(warehouse, before, after)


def part(release: str, share: float, name: str) -> Part:
    """A release with its share.

    Raises:
        RequestError: The share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise RequestError(
            f"the share of the {name} is {share:g}; allowed: above 0, at most 1",
            param="share",
            remedy="0.1 is every tenth caller; `--clear` ends it",
        )
    return Part(release=release, share=share)
