"""Which release answers for a twin: read, store, set, roll back. The traffic document is the only truth."""

from collections.abc import Iterator

from components.adapters.warehouse.contract import Document, Expected, Warehouse
from components.runtime.context import Context
from components.shared.errors import NotFoundError
from components.shared.releases import BUILT_IN, RELEASES, TRAFFIC, Release, Traffic

#: Releases that `rollback` can go back through.
KEPT = 20

#: Warehouse collection: a rollback that holds in the traffic and whose end is not recorded, by twin.
ROLLBACKS = "rollbacks"


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


def had_predictor(warehouse: Warehouse, twin: str) -> bool:
    """Whether a release of a twin answers, or ever answered, in a predictor of its own."""
    return any(found["body"].get("predictor") for found in warehouse.scan(RELEASES, twin=twin))


def store(warehouse: Warehouse, release: Release) -> None:
    """Store a release without letting it answer."""
    warehouse.apply({RELEASES: ([_document(release)], ())})


def _document(release: Release) -> Document:
    return {"_id": release.id, "twin": release.twin, "body": release.model_dump(mode="json")}


def change(
    warehouse: Warehouse,
    before: Traffic | None,
    after: Traffic,
    release: Release | None = None,
    *,
    rollback_of: str = "",
) -> Traffic:
    """Let another traffic hold from now on, and store a release with it, all in one transaction.

    Args:
        warehouse: Where the traffic document lies.
        before: The traffic that the change was made from; None before the first.
        after: The new traffic; its revision is set here.
        release: A release to store.
        rollback_of: Release that a rollback leaves: noted until `finished` is told.

    Raises:
        ConflictError: The traffic is another one by now; nothing was changed.
    """
    made = after.model_copy(update={"revision": before.revision + 1 if before else 1})
    document: Document = {
        "_id": made.twin,
        "twin": made.twin,
        "revision": made.revision,
        "body": made.model_dump(mode="json"),
    }
    note = {"_id": made.twin, "twin": made.twin, "revision": made.revision, "left": rollback_of}
    warehouse.apply(
        {
            RELEASES: ([_document(release)] if release else [], ()),
            TRAFFIC: ([document], ()),
            ROLLBACKS: ([note] if rollback_of else [], ()),
        },
        Expected(TRAFFIC, made.twin, before.revision if before else None),
    )
    return made


def promote(warehouse: Warehouse, release: Release) -> Traffic:
    """Store a release and let it answer, in one transaction. A canary or shadow of it ends with that.

    Raises:
        ConflictError: Somebody else changed the traffic in the same moment.
    """
    before = traffic(warehouse, release.twin)
    if before is None:
        return change(warehouse, None, Traffic(twin=release.twin, champion=release.id), release)
    kept = before.history
    if before.champion != release.id:
        kept = (before.champion, *kept)
    after = _without(before, release.id).model_copy(
        update={
            "champion": release.id,
            "history": tuple(one for one in kept if one != release.id)[:KEPT],
        }
    )
    if after == before:
        store(warehouse, release)
        return before
    return change(warehouse, before, after, release)


def _without(now: Traffic, release: str) -> Traffic:
    """The traffic with a release in none of the parts beside the champion's."""
    parts: dict[str, object] = {
        name: None
        for name, part in (("canary", now.canary), ("shadow", now.shadow))
        if part and part.release == release
    }
    if now.fallback == release:
        parts["fallback"] = BUILT_IN
    return now.model_copy(update=parts)


def earlier(warehouse: Warehouse, twin: str) -> Release:
    """The release that `rollback` goes back to.

    Raises:
        NotFoundError: There is none.
    """
    before = traffic(warehouse, twin)
    if not before or not before.history:
        raise NotFoundError(
            f"twin '{twin}' has no earlier release",
            param="twin",
            remedy="name a release with `twin promote`, see `twin releases`",
        )
    return read_release(warehouse, twin, before.history[0])


def rollback(warehouse: Warehouse, twin: str) -> Release:
    """Let the release before the champion answer again; the one rolled back leaves the history.

    A canary ends with it: to be safe again means that one release answers everybody.

    Raises:
        NotFoundError: There is no release to go back to.
        ConflictError: Somebody else changed the traffic in the same moment.
    """
    target = earlier(warehouse, twin)
    before = require_traffic(warehouse, twin)
    after = _without(before, target.id).model_copy(
        update={"champion": target.id, "canary": None, "history": before.history[1:]}
    )
    change(warehouse, before, after, rollback_of=before.champion)
    return target


def unfinished(warehouse: Warehouse, now: Traffic) -> str:
    """The release that the last change of a traffic rolled back, if its process did not come to its end."""
    found = warehouse.get(ROLLBACKS, now.twin)
    return str(found["left"]) if found and found["revision"] == now.revision else ""


def finished(warehouse: Warehouse, twin: str) -> None:
    """Record that a rollback came to its end: the next one goes a step further back."""
    warehouse.apply({ROLLBACKS: ((), (twin,))})


def require_traffic(warehouse: Warehouse, twin: str) -> Traffic:
    """The traffic of a twin.

    Raises:
        NotFoundError: It has no release yet.
    """
    found = traffic(warehouse, twin)
    if found is None:
        raise NotFoundError(
            f"twin '{twin}' has no champion yet",
            param="twin",
            remedy=f"run `twin run end_to_end --twin {twin}` first",
        )
    return found
