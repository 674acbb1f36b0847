"""The warehouse is shared and moves on; what is frozen must be what was collected."""

from components.shared import digest
from components.shared.errors import DataError
from components.shared.manifests import Manifest


def require_unchanged(collected: Manifest, found: list[list[str]]) -> None:
    """Compare ids and digests in the warehouse with the collected version.

    Args:
        collected: Output of stage collect.
        found: Pairs of id and digest.

    Raises:
        DataError: They differ.
    """
    if digest.of_json(sorted(found)) != collected.version:
        raise DataError(
            f"the warehouse no longer holds version {collected.version} of the collected data",
            where=f"twin {collected.twin}",
            remedy=f"run `twin run collect --twin {collected.twin}`, then this again: another run collected "
            "meanwhile, or was killed before it could say what it had collected",
        )
