"""Releases that may answer next: announced, so that running fronts open them before they have to."""

import time
from collections.abc import Callable, Collection

from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, fronts
from components.runtime.fronts import Front
from components.shared.config import Config
from components.shared.releases import Release

#: Warehouse collection: a document a twin, with the ids of its announced releases, newest first.
STANDBY = "standby"

#: Announced releases that are remembered a twin.
KEPT = 8

#: Seconds after which a front that has not begun to open a release is not going to: it has no room, is gone,
#: or is of a version that does not do it.
SILENT = 5.0

Report = Callable[[str], None]


def announce(config: Config, warehouse: Warehouse, release: Release) -> bool:
    """Let the running fronts open a release; whether they may.

    On a cluster a release without a predictor is not opened: its promotion deploys one first.
    """
    if config.profile != "local" and not release.predictor:
        return False
    others = [one for one in announced(warehouse, release.twin) if one != release.id]
    _write(warehouse, release.twin, (release.id, *others)[:KEPT])
    return True


def announced(warehouse: Warehouse, twin: str) -> tuple[str, ...]:
    """Ids of the releases that may answer next, newest first."""
    found = warehouse.get(STANDBY, twin)
    return tuple(found["releases"]) if found else ()


def withdraw(warehouse: Warehouse, twin: str, releases: Collection[str]) -> None:
    """Say that releases answer by now, or never will; fronts close those that nothing else keeps open."""
    before = announced(warehouse, twin)
    after = tuple(one for one in before if one not in releases)
    if after != before:
        _write(warehouse, twin, after)


def _write(warehouse: Warehouse, twin: str, releases: Collection[str]) -> None:
    document = {"_id": twin, "twin": twin, "releases": list(releases)}
    warehouse.apply({STANDBY: ([document], ())})


def prepare(
    config: Config,
    warehouse: Warehouse,
    release: Release,
    report: Report,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the running fronts have a stored release open, so that it answers as soon as it may.

    Nothing is waited for where no front runs, where the release is open in all of them, or beyond
    `serving.fleet.prepare_seconds`. A front that cannot open it is told of and not waited for.

    Args:
        config: Says how long is waited at most.
        warehouse: Where releases and fronts lie.
        release: Stored already, with its predictor.
        report: Told what is waited for, and what did not become ready.
        clock: Monotonic seconds.
    """
    settings, begun = config.serving.fleet, clock()
    now = champion.traffic(warehouse, release.twin)
    if now is None or not settings.standby or not settings.prepare_seconds:
        return
    if release.id in now.answering:
        return
    if _waiting(warehouse, release, silent=False) and announce(config, warehouse, release):
        report(f"waiting until the running servers have release {release.id} open")
        while waiting := _waiting(warehouse, release, silent=clock() - begun >= SILENT):
            if clock() - begun >= settings.prepare_seconds:
                report(f"not open yet in {', '.join(waiting)}; what answers there goes on until it is")
                break
            time.sleep(fronts.LOOK)
    for front in fronts.running(warehouse, release.twin):
        if why := front.failed.get(release.id):
            report(f"{front.id} cannot open it, what answers there goes on: {why}")


def _waiting(warehouse: Warehouse, release: Release, *, silent: bool) -> list[str]:
    """Ids of the fronts that have yet to open a release.

    Args:
        warehouse: Where the fronts tell what they have open.
        release: Which.
        silent: Whether fronts that have not even begun are left out.
    """

    def awaited(front: Front) -> bool:
        if release.id in front.open or release.id in front.failed:
            return False
        return release.id in front.opening or not silent

    return [front.id for front in fronts.running(warehouse, release.twin) if awaited(front)]
