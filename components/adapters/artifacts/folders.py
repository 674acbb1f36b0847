"""Artifact store in one folder."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from components.shared import digest, manifests, sums
from components.shared.errors import DataError
from components.shared.files import locked, write_atomic
from components.shared.manifests import MANIFEST, Manifest


class FolderArtifacts:
    """Artifacts below one folder: `<stage>/<recipe>/` with a manifest written last.

    A reader that finds no manifest finds nothing, so an interrupted stage leaves no half-written artifact:
    its folder is wiped when the same recipe runs again.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, stage: str, recipe: str) -> Manifest | None:
        """The committed output of a recipe, or None."""
        return _read(self.root / stage / recipe / MANIFEST)

    def commit(self, draft: Manifest, build: Callable[[Path], Manifest]) -> Manifest:
        """Let `build` fill an empty folder and commit what it returns.

        A `version` that `build` leaves empty becomes the digest of the folder's content.
        """
        folder = self.root / draft.stage / draft.recipe
        with locked(self.root / ".locks" / f"{draft.stage}-{draft.recipe}"):
            # Another process may have committed the same recipe while this one waited.
            return self.find(draft.stage, draft.recipe) or self._build(folder, draft, build)

    def _build(self, folder: Path, draft: Manifest, build: Callable[[Path], Manifest]) -> Manifest:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        start = time.perf_counter()
        made = build(folder)
        digests = digest.of_files(folder)
        sums.write(folder, digests)
        filled = made.model_copy(
            update={
                "version": made.version or digest.of_digests(digests),
                "uri": folder.as_uri(),
                "seconds": round(time.perf_counter() - start, 3),
            }
        )
        write_atomic(folder / MANIFEST, filled.model_dump_json(indent=2))
        return filled.bound(_whole)

    def with_version(self, stage: str, version: str) -> Manifest | None:
        """A committed output of a content version, or None."""
        for path in sorted((self.root / stage).glob(f"*/{MANIFEST}")):
            if (found := manifests.read(path)).version == version:
                return found.bound(_whole)
        return None

    def latest(self, twin: str, stage: str) -> Manifest | None:
        """The output that the twin's last run of the stage made or found again."""
        return _read(self.root / "latest" / twin / f"{stage}.json")

    def mark_latest(self, manifest: Manifest) -> None:
        """Make this the twin's newest output of the stage."""
        path = self.root / "latest" / manifest.twin / f"{manifest.stage}.json"
        write_atomic(path, manifest.model_dump_json(indent=2))

    def bound(self, manifest: Manifest) -> Manifest:
        """The manifest with a `folder` that is checked when it is first asked for."""
        return manifest.bound(_whole)


def _read(path: Path) -> Manifest | None:
    return manifests.read(path).bound(_whole) if path.exists() else None


def _whole(uri: str) -> Path:
    """The folder of a `file://` URI, with the files that were committed.

    Raises:
        DataError: One of them was changed since.
    """
    folder = manifests.local_path(uri)
    if changed := sums.changed(folder):
        raise DataError(
            f"what a stage made was changed since: {', '.join(changed)}",
            where=str(folder),
            remedy="delete the folder, then run again: it is made anew; or put back a copy of the files",
        )
    return folder
