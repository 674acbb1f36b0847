"""Artifact store in object storage: files first, the manifest last and only once."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from components.adapters import objects
from components.shared import digest, sums
from components.shared.errors import DataError
from components.shared.manifests import MANIFEST, Manifest


class S3Artifacts:
    """Artifacts below `s3://BUCKET/PREFIX`: `<stage>/<recipe>/manifest.json` and `…/<content>/<files>`.

    A reader that finds no manifest finds nothing. Files lie in a folder named by their content, so two pods
    that build the same recipe at once never mix; the manifest that is written first counts, for both.

    Args:
        uri: `s3://BUCKET/PREFIX`.
        cache: Local folder of fetched copies.
    """

    def __init__(self, uri: str, cache: Path) -> None:
        self._uri = uri.rstrip("/")
        self._cache = cache

    def find(self, stage: str, recipe: str) -> Manifest | None:
        """The committed output of a recipe, or None."""
        return self._read(f"{self._uri}/{stage}/{recipe}/{MANIFEST}")

    def commit(self, draft: Manifest, build: Callable[[Path], Manifest]) -> Manifest:
        """Let `build` fill an empty folder and commit what it returns; a crash before leaves no artifact.

        A `version` that `build` leaves empty becomes the digest of the folder's content.
        """
        if found := self.find(draft.stage, draft.recipe):
            return found
        self._cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._cache, prefix=".building-"))
        try:
            return self._build(folder, draft, build)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _build(self, folder: Path, draft: Manifest, build: Callable[[Path], Manifest]) -> Manifest:
        start = time.perf_counter()
        made = build(folder)
        digests = digest.of_files(folder)
        content = digest.of_digests(digests)
        sums.write(folder, digests)
        place = f"{self._uri}/{draft.stage}/{draft.recipe}"
        filled = made.model_copy(
            update={
                "version": made.version or content,
                "uri": f"{place}/{content}",
                "seconds": round(time.perf_counter() - start, 3),
            }
        )
        objects.put_folder(folder, filled.uri)
        # Names the recipe of a version; without its manifest it names nothing.
        objects.write(f"{self._uri}/versions/{draft.stage}/{filled.version}/{draft.recipe}", b"")
        written = filled.model_dump_json(indent=2).encode()
        if objects.write(f"{place}/{MANIFEST}", written, once=True):
            target = objects.local_copy(filled.uri, self._cache)
            if not target.exists():
                folder.rename(target)  # this process need not fetch what it made
            return self.bound(filled)
        winner = self.find(draft.stage, draft.recipe)
        assert winner is not None
        if winner.uri != filled.uri:
            objects.delete_folder(filled.uri)
        return winner

    def with_version(self, stage: str, version: str) -> Manifest | None:
        """A committed output of a content version, or None."""
        for recipe in objects.keys(f"{self._uri}/versions/{stage}/{version}"):
            found = self.find(stage, recipe)
            if found and found.version == version:
                return found
        return None

    def latest(self, twin: str, stage: str) -> Manifest | None:
        """The output that the twin's last run of the stage made or found again."""
        return self._read(f"{self._uri}/latest/{twin}/{stage}.json")

    def mark_latest(self, manifest: Manifest) -> None:
        """Make this the twin's newest output of the stage."""
        uri = f"{self._uri}/latest/{manifest.twin}/{manifest.stage}.json"
        objects.write(uri, manifest.model_dump_json(indent=2).encode())

    def bound(self, manifest: Manifest) -> Manifest:
        """The manifest with a `folder` that is fetched when it is first asked for."""
        return manifest.bound(self._fetch)

    def _fetch(self, uri: str) -> Path:
        folder = objects.fetched(uri, self._cache)
        if changed := sums.changed(folder):
            raise DataError(
                f"what a stage made was changed since: {', '.join(changed)}",
                where=f"{folder}, a copy of {uri}",
                remedy="delete the copy; where that does not help, delete the manifest beside the original, "
                "then run again: it is made anew",
            )
        return folder

    def _read(self, uri: str) -> Manifest | None:
        raw = objects.read(uri)
        if raw is None:
            return None
        try:
            return self.bound(Manifest.model_validate_json(raw))
        except ValidationError as error:
            raise DataError(
                f"no manifest: {error}", where=uri, remedy="run the stage that makes it"
            ) from error
