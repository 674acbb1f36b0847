"""Which release answers for a twin: read, store, set, roll back. The traffic document is the only truth."""

from collections.abc import Iterator

from components.adapters.warehouse import Document, Warehouse
from components.runtime.context import Context
from components.shared.errors import NotFoundError
from components.shared.releases import RELEASES, TRAFFIC, Release, Traffic

#: Releases that `rollback` can go back through.
KEPT = 20


def champion(context: Context) -> Release | None:
    """The release that answers for the context's twin, or None before the first."""
    return champion_of(context.stores.warehouse, context.twin)


def champion_of(warehouse: Warehouse, twin: str) -> Release | None:
    """The release that answers for a twin, or None before the first."""
    found = traffic(warehouse, twin)
    return read_release(warehouse, twin, found.champion) if found else None


def traffic(warehouse: Warehouse, twin: str) -> Traffic | None:
    """The traffic of a twin, or None before the first release."""
    found = warehouse.get(TRAFFIC, twin)
    return Traffic.model_validate(found["body"]) if found else None


def read_release(warehouse: Warehouse, twin: str, release: str) -> Release:
    """A release by its id.

    Raises:
        NotFoundError: The twin has no such release.
    """
    found = warehouse.get(RELEASES, release)
    if not found or found["twin"] != twin:
        known = ", ".join(one.id for one in releases(warehouse, twin)) or "none yet"
        raise NotFoundError(
            f"twin '{twin}' has no release '{release}'", param="release", remedy=f"use one of: {known}"
        )
    return Release.model_validate(found["body"])


def releases(warehouse: Warehouse, twin: str) -> Iterator[Release]:
    """Every release of a twin."""
    for found in warehouse.scan(RELEASES, twin=twin):
        yield Release.model_validate(found["body"])


def store(warehouse: Warehouse, release: Release) -> None:
    """Store a release without letting it answer."""
    warehouse.apply({RELEASES: ([_document(release)], ())})


def _document(release: Release) -> Document:
    return {"_id": release.id, "twin": release.twin, "body": release.model_dump(mode="json")}


def promote(warehouse: Warehouse, release: Release) -> Traffic:
    """Store a release and let it answer, in one transaction."""
    before = traffic(warehouse, release.twin)
    history: tuple[str, ...] = ()
    if before:
        kept = [before.champion, *before.history] if before.champion != release.id else list(before.history)
        history = tuple(one for one in kept if one != release.id)[:KEPT]
    after = Traffic(twin=release.twin, champion=release.id, history=history)
    warehouse.apply(
        {
            RELEASES: ([_document(release)], ()),
            TRAFFIC: (
                [{"_id": release.twin, "twin": release.twin, "body": after.model_dump(mode="json")}],
                (),
            ),
        }
    )
    return after


def rollback(warehouse: Warehouse, twin: str) -> Release:
    """Let the release before the champion answer again; the one rolled back leaves the history.

    Raises:
        NotFoundError: There is no release to go back to.
    """
    before = traffic(warehouse, twin)
    if not before or not before.history:
        raise NotFoundError(
            f"twin '{twin}' has no earlier release",
            param="twin",
            remedy="name a release with `twin promote`, see `twin releases`",
        )
    target = read_release(warehouse, twin, before.history[0])
    after = Traffic(twin=twin, champion=target.id, history=before.history[1:])
    warehouse.apply({TRAFFIC: ([{"_id": twin, "twin": twin, "body": after.model_dump(mode="json")}], ())})
    return target
