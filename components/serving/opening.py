"""The fronts of twins: which have a champion, and each opened with it."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from components.adapters.stores import Stores
from components.runtime.champion import champion_of, read_release, require_traffic
from components.serving.exchange import Observer
from components.serving.sharing import Shared
from components.serving.traffic.fleet import R
from components.serving.traffic.manager import Manager, manager
from components.shared.config import Config
from components.shared.errors import MissingError
from components.shared.metrics.instruments import Instruments
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.serving.classic.front import ClassicFront
    from components.serving.llm.front import LlmFront

    Front = ClassicFront | LlmFront

log = logging.getLogger("twinstack.serving")


def champions(config: Config, stores: Stores, twins: list[str] | None) -> list[Release]:
    """The releases to serve.

    Raises:
        ConfigError: There is no twin of a name.
        MissingError: A named twin, or every twin, is without a champion.
    """
    found = []
    for name in twins or config.twins:
        config.twin(name)
        release = champion_of(stores.warehouse, name)
        if release is not None:
            found.append(release)
        elif twins:
            raise MissingError(
                f"twin '{name}' has no champion yet", remedy=f"run `twin run end_to_end --twin {name}` first"
            )
        else:
            log.warning("twin '%s' has no champion yet and is not served", name)
    if not found:
        raise MissingError("no twin has a champion yet", remedy="run `twin run end_to_end` first")
    return found


@contextlib.contextmanager
def opened(
    config: Config,
    stores: Stores,
    releases: list[Release],
    observers: Sequence[Observer],
    instruments: Instruments,
) -> Iterator[Mapping[str, "Front"]]:
    """The fronts of twins, each with its champion open; closed in the end whatever happens."""
    fronts: dict[str, Front] = {}
    shared = Shared()
    try:
        for release in releases:
            start = time.perf_counter()
            log.info("loading twin '%s', release %s, %s", release.twin, release.id, release.trained_on)
            front = fronts[release.twin] = _front(config, stores, release, observers, instruments, shared)
            front.manager.fleet.start(require_traffic(stores.warehouse, release.twin))
            front.manager.reporter.beat()
            log.info("twin '%s' is ready after %.1f s", release.twin, time.perf_counter() - start)
        yield fronts
    finally:
        for front in fronts.values():
            front.stop()


def _front(
    config: Config,
    stores: Stores,
    release: Release,
    observers: Sequence[Observer],
    instruments: Instruments,
    shared: Shared,
) -> "Front":
    """The front of a release's twin; no release is open yet."""
    warehouse, twin = stores.warehouse, release.twin

    def managed(opened: Callable[[Release], R]) -> Manager[R]:
        return manager(
            warehouse,
            twin,
            release.kind,
            lambda name: opened(read_release(warehouse, twin, name)),
            config.serving,
            observers,
            instruments,
        )

    if release.kind == "llm":
        from components.serving.llm.front import LlmFront
        from components.serving.llm.parts import open_release

        return LlmFront(
            managed(lambda one: open_release(config, stores, one, instruments, shared)),
            config.serving.limits.max_prompt_tokens,
        )
    from components.serving.classic.front import ClassicFront
    from components.serving.classic.release import open_classic

    return ClassicFront(config, managed(lambda one: open_classic(config, stores, one, instruments)))
