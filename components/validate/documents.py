"""Documents: nothing empty, nothing twice; frozen as Parquet."""

from collections.abc import Iterator
from pathlib import Path

from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.validate.unchanged import require_unchanged

FILE = "documents.parquet"


def validate(context: Context, collected: Manifest) -> Manifest:
    """Freeze the twin's documents: columns id, path, digest, text, sorted by id.

    Raises:
        DataError: No document has text.
    """
    return context.commit(
        settings={},
        parents={"collected": collected},
        build=lambda folder: _freeze(context, collected, folder),
    )


def _freeze(context: Context, collected: Manifest, folder: Path) -> Draft:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in ("id", "path", "digest", "text")])
    counts = {"documents": 0, "empty": 0, "characters": 0}
    names, seen = [], []
    with pq.ParquetWriter(folder / FILE, schema) as writer:
        for document in _documents(context):
            seen.append([document["id"], document["digest"]])
            if not document["text"].strip():
                counts["empty"] += 1
                continue
            counts["documents"] += 1
            counts["characters"] += len(document["text"])
            names.append([document["id"], document["digest"]])
            writer.write_batch(pa.RecordBatch.from_pylist([document], schema=schema))
    require_unchanged(collected, seen)
    if not counts["documents"]:
        raise DataError(
            f"the corpus has no text: {counts['empty']} documents, all empty",
            where=f"twins.{context.twin}.sources",
            remedy="name sources whose documents have text",
        )
    return Draft(
        summary=f"{counts['documents']} documents, {counts['characters']:,} characters, "
        f"{counts['empty']} empty left out",
        facts=counts,
        version=digest.of_json(names),
    )


def _documents(context: Context) -> Iterator[dict[str, str]]:
    for one in context.stores.warehouse.scan("documents", twin=context.twin):
        yield {"id": one["_id"], "path": one["path"], "digest": one["digest"], "text": one["text"]}
