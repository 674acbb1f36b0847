"""What an artifact store is: folders that are committed whole or do not exist."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from components.shared.errors import MissingError
from components.shared.manifests import Manifest


class Artifacts(Protocol):
    """Committed stage outputs, found by recipe or as a twin's newest."""

    def find(self, stage: str, recipe: str) -> Manifest | None:
        """The committed output of a recipe, or None."""

    def commit(self, draft: Manifest, build: Callable[[Path], Manifest]) -> Manifest:
        """Let `build` fill an empty folder and commit what it returns; a crash before leaves nothing."""

    def with_version(self, stage: str, version: str) -> Manifest | None:
        """A committed output of a content version, or None."""

    def latest(self, twin: str, stage: str) -> Manifest | None:
        """The output that the twin's last run of the stage made or found again."""

    def mark_latest(self, manifest: Manifest) -> None:
        """Make this the twin's newest output of the stage."""

    def bound(self, manifest: Manifest) -> Manifest:
        """A manifest that came from elsewhere, with a `folder` that this store can open."""


def require_latest(store: Artifacts, twin: str, stages: tuple[str, ...]) -> Manifest:
    """The twin's newest output of the first of these stages that has one.

    Raises:
        MissingError: None has run yet.
    """
    for stage in stages:
        if found := store.latest(twin, stage):
            return found
    raise MissingError(
        f"twin '{twin}' has no output of stage {' or '.join(stages)} yet",
        remedy=f"run `twin run end_to_end --twin {twin}` first",
    )
