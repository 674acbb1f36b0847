"""Documents of every source into the warehouse: only what changed is read, what is gone is deleted."""

from dataclasses import dataclass

from components.adapters.sources import Entry, Reader, open_source
from components.adapters.warehouse.contract import Document, Warehouse
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.llm import DocumentSource, GitSource
from components.shared.errors import DataError
from components.shared.manifests import Manifest

COLLECTION = "documents"
REJECTED = "rejected"

#: Bad documents named in an error.
NAMED = 10


@dataclass
class Change:
    """What a source's sync will write."""

    upserts: list[Document]
    rejects: list[Document]
    deletes: list[str]
    present: list[Entry]


def collect(context: Context) -> Manifest:
    """Bring the warehouse to the state of the sources, in one transaction a source.

    Raises:
        DataError: A source cannot be read, holds nothing, or too many of its documents are bad.
    """
    twin = context.llm
    counts = {"added_or_changed": 0, "deleted": 0, "documents": 0, "rejected": 0}
    state: list[list[str]] = []
    revisions = []
    names = []
    for number, source in enumerate(twin.sources):
        name = f"{number}-{source.type}"
        names.append(name)
        reader = open_source(source, context.config.path(source.path), context.config.state_path / "git")
        change = _change(context, name, source, reader)
        _apply(context.stores.warehouse, change)
        state += [[f"{context.twin}/{name}/{entry.path}", entry.digest] for entry in change.present]
        revisions.append(f"{source.type}:{_place(source)}@{reader.revision}")
        counts["added_or_changed"] += len(change.upserts)
        counts["deleted"] += len(change.deletes)
        counts["documents"] += len(change.present)
        counts["rejected"] += len(change.rejects)
    if not counts["documents"]:
        raise DataError(
            f"the corpus is empty: no document matches {[source.include for source in twin.sources]}",
            where=f"twins.{context.twin}.sources",
            remedy="widen `include`, or name another path",
        )
    counts["deleted"] += _forget_others(context, names)
    context.crash_point("after-warehouse")
    version = digest.of_json(sorted(state))
    return context.commit(
        settings={"state": version},
        parents={},
        build=lambda _: Draft(
            summary=f"{counts['documents']} documents ({counts['added_or_changed']} new or changed, "
            f"{counts['deleted']} deleted, {counts['rejected']} rejected)",
            facts={**counts, "revisions": ", ".join(revisions)},
            version=version,
        ),
    )


def _apply(warehouse: Warehouse, change: Change) -> None:
    """A source's change in one transaction; a document that is good by now is no reject any more."""
    if change.upserts or change.deletes or change.rejects:
        mended = [one["_id"] for one in change.upserts]
        warehouse.apply(
            {
                COLLECTION: (change.upserts, change.deletes),
                REJECTED: (change.rejects, mended + change.deletes),
            }
        )


def _forget_others(context: Context, names: list[str]) -> int:
    """Delete the documents of sources that are no longer configured; how many there were."""
    warehouse, others = context.stores.warehouse, {}
    for collection in (COLLECTION, REJECTED):
        # Mostly there are none, and counting reads no text.
        kept = sum(warehouse.count(collection, twin=context.twin, source=name) for name in names)
        if warehouse.count(collection, twin=context.twin) > kept:
            found = warehouse.scan(collection, twin=context.twin)
            others[collection] = [one["_id"] for one in found if one["source"] not in names]
    if others:
        warehouse.apply({collection: ((), keys) for collection, keys in others.items()})
    return len(others.get(COLLECTION, ()))


def _change(context: Context, name: str, source: DocumentSource, reader: Reader) -> Change:
    known = {
        one["path"]: one["digest"]
        for one in context.stores.warehouse.scan(COLLECTION, twin=context.twin, source=name)
    }
    offered = {entry.path: entry for entry in reader.entries()}
    too_large = {path for path, entry in offered.items() if entry.size > source.max_bytes}
    fresh = [
        path for path, entry in offered.items() if known.get(path) != entry.digest and path not in too_large
    ]
    change = Change([], [], [], [])
    for path in sorted(too_large):
        reason = f"{offered[path].size} bytes, more than max_bytes {source.max_bytes}"
        change.rejects.append(_document(context.twin, name, offered[path], reason=reason))
    for done, (path, content) in enumerate(reader.read(fresh), start=1):
        entry = offered[path]
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}"
            change.rejects.append(_document(context.twin, name, entry, reason=reason))
            continue
        change.upserts.append(_document(context.twin, name, entry, text=text))
        context.progress.step("documents", done, len(fresh))
    _refuse_too_many(context, name, source, change, len(offered))
    bad = {one["path"] for one in change.rejects}
    change.deletes = [f"{context.twin}/{name}/{path}" for path in known if path not in offered or path in bad]
    change.present = [entry for path, entry in offered.items() if path not in bad]
    return change


def _place(source: DocumentSource) -> str:
    url = source.url if isinstance(source, GitSource) else ""
    return f"{url}#{source.path}" if url else source.path


def _document(twin: str, source: str, entry: Entry, **body: str) -> Document:
    key = f"{twin}/{source}/{entry.path}"
    return {
        "_id": key,
        "twin": twin,
        "source": source,
        "path": entry.path,
        "digest": entry.digest,
        "size": entry.size,
        **body,
    }


def _refuse_too_many(
    context: Context, name: str, source: DocumentSource, change: Change, offered: int
) -> None:
    if len(change.rejects) <= source.max_rejected * offered:
        return
    named = "; ".join(f"{one['path']}: {one['reason']}" for one in change.rejects[:NAMED])
    raise DataError(
        f"{len(change.rejects)} of {offered} documents are bad, nothing was collected: {named}",
        where=f"twins.{context.twin}.sources.{name.split('-', maxsplit=1)[0]}",
        remedy="mend, convert to UTF-8 text or `exclude` them, or raise max_bytes or max_rejected",
    )
