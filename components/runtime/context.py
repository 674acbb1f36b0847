"""What every stage is given, and the one way it commits its output."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from components.adapters.stores import Stores
from components.shared import digest
from components.shared.config import ClassicTwin, Config, Kind, LlmTwin
from components.shared.errors import ConfigError
from components.shared.manifests import Manifest
from components.shared.progress import Progress

T = TypeVar("T", ClassicTwin, LlmTwin)

#: `STAGE` or `STAGE:POINT`: the process kills itself there, so that tests can see what is lost.
CRASH_VARIABLE = "TWINSTACK_CRASH_AT"

#: Code that every stage runs on.
COMMON = ("shared", "runtime", "adapters", "dataflows")


@dataclass(frozen=True)
class Draft:
    """What `build` hands back: the names and numbers of a manifest that is about to be committed."""

    summary: str
    facts: Mapping[str, JsonValue]
    version: str = ""


@dataclass(frozen=True)
class Context:
    """A stage's surroundings."""

    config: Config
    twin: str
    stage: str
    allow_dirty: bool = False

    @cached_property
    def stores(self) -> Stores:
        """Adapters to the outside systems, opened at first use."""
        return Stores(self.config)

    @cached_property
    def progress(self) -> Progress:
        """Progress lines of this stage."""
        return Progress(self.stage, self.twin)

    @property
    def classic(self) -> ClassicTwin:
        """The twin's configuration, which must be of kind classic."""
        return self._of(ClassicTwin, "classic")

    @property
    def llm(self) -> LlmTwin:
        """The twin's configuration, which must be of kind llm."""
        return self._of(LlmTwin, "llm")

    def _of(self, wanted: type[T], kind: Kind) -> T:
        found = self.config.twin(self.twin)
        if not isinstance(found, wanted):
            raise ConfigError(
                f"stage {self.stage} is for kind {kind}; twin '{self.twin}' is of kind {found.kind}",
                where=f"twins.{self.twin}.kind",
            )
        return found

    def crash_point(self, point: str) -> None:
        """Die here, as by kill -9, where a test asks for it."""
        if os.environ.get(CRASH_VARIABLE) == f"{self.stage}:{point}":
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(
        self,
        *,
        settings: JsonValue,
        parents: Mapping[str, Manifest],
        build: Callable[[Path], Draft],
    ) -> Manifest:
        """Do the work unless the same recipe is committed already.

        Args:
            settings: Everything of the configuration that can change the result.
            parents: Slot to the manifest that the work reads.
            build: Fills an empty folder; not called where the recipe is known.
        """
        store = self.stores.artifacts
        versions = {slot: parent.version for slot, parent in parents.items()}
        code = digest.of_code(*COMMON, self.stage)
        recipe = digest.of_json([self.stage, self.twin, code, settings, versions])
        if found := store.find(self.stage, recipe):
            unchanged = ", ".join(
                [*(f"{slot} {version}" for slot, version in versions.items()), "code", "settings"]
            )
            return self.seen(found.model_copy(update={"skipped": f"unchanged: {unchanged}"}))
        draft = Manifest(
            stage=self.stage, twin=self.twin, recipe=recipe, version="", uri="", parents=versions
        )

        def fill(folder: Path) -> Manifest:
            made = build(folder)
            self.crash_point("before-commit")
            return draft.model_copy(
                update={"version": made.version, "facts": dict(made.facts), "summary": made.summary}
            )

        return self.seen(store.commit(draft, fill))

    def seen(self, manifest: Manifest) -> Manifest:
        """Make a manifest the twin's newest of its stage."""
        self.stores.artifacts.mark_latest(manifest)
        return manifest
