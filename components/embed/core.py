"""Documents to chunks to embeddings to a new index version; the alias flips last."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.adapters.embedding_cache import EmbeddingCache
from components.adapters.encoder import Encoder
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.adapters.vectors.contract import Entry

    Vectors = dict[str, NDArray[np.float32]]

FILE = "chunks.parquet"

#: Variant of the dataflow to the ends of the names it is for; `text` is for all others.
MEDIA: dict[str, tuple[str, ...]] = {"markdown": (".md", ".markdown"), "python": (".py",), "text": ()}

#: Rows of one insert into the index, and texts between two writes into the cache.
BATCH = 1_000


def run(context: Context, validated: Manifest) -> Manifest:
    """Make the index version of the documents and let the twin's alias name it.

    Leaves `chunks.parquet` (chunk_id, document_id, path, heading, text, tokens, start, end). The version is
    the digest of chunks and encoder. Chunks whose text was embedded before are not embedded again. Until the
    flip the old version answers.
    """
    twin = context.llm
    encoder = Encoder(twin.encoder)
    made = context.commit(
        settings={"chunking": twin.chunking.model_dump(), "encoder": encoder.version},
        parents={"validated": validated},
        build=lambda folder: _build(context, encoder, validated, folder),
    )
    vectors = context.stores.vectors
    if not vectors.exists(context.twin, made.version):
        _index(context, encoder, made.folder, made.version)  # the vector store was emptied meanwhile
    if vectors.current(context.twin) != made.version:
        context.crash_point("before-flip")
        vectors.flip(context.twin, made.version)
    return made


def _build(context: Context, encoder: Encoder, validated: Manifest, folder: Path) -> Draft:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(_chunks(context, encoder, validated))
    pq.write_table(pa.Table.from_pylist(rows), folder / FILE)
    version = digest.of_json([encoder.version, [row["chunk_id"] for row in rows]])
    embedded = _index(context, encoder, folder, version)
    return Draft(
        summary=f"{len(rows)} chunks, {embedded} of them embedded anew, index version {version}",
        facts={
            "index_version": version,
            "chunks": len(rows),
            "documents": len({row["document_id"] for row in rows}),
            "tokens": sum(row["tokens"] for row in rows),
            "embedded": embedded,
            "reused": len(rows) - embedded,
            "seconds_forward": round(encoder.forward_seconds, 3),
        },
        version=version,
    )


def media_of(path: str) -> str:
    """Which variant of the dataflow a document takes, by the end of its name."""
    return next((media for media, ends in MEDIA.items() if path.endswith(ends)), "text")


def _chunks(context: Context, encoder: Encoder, validated: Manifest) -> Iterator[dict[str, Any]]:
    """Every chunk of every document; its id is the digest of its place and its text."""
    import pyarrow.parquet as pq

    from components.dataflows import documents
    from components.runtime.dataflow import Plan

    chunking = context.llm.chunking
    plans = {media: Plan(documents, ["chunks"], {"media": media}) for media in MEDIA}
    file = pq.ParquetFile(validated.folder / "documents.parquet")
    done = 0
    for batch in file.iter_batches(batch_size=100):
        for document in batch.to_pylist():
            found = plans[media_of(document["path"])].run(
                {
                    "text": document["text"],
                    "offsets": encoder.offsets,
                    "max_tokens": chunking.max_tokens,
                    "overlap_tokens": chunking.overlap_tokens,
                }
            )
            for chunk in found["chunks"]:
                yield {
                    "chunk_id": digest.of_json([document["id"], chunk.start, chunk.heading, chunk.text]),
                    "document_id": document["id"],
                    "path": document["path"],
                    **vars(chunk),
                }
            done += 1
            context.progress.step("documents cut", done, file.metadata.num_rows)


def _index(context: Context, encoder: Encoder, folder: Path, version: str) -> int:
    """Build the index version from `chunks.parquet`; how many chunks had to be embedded."""
    import pyarrow.parquet as pq

    from components.dataflows import retrieval

    rows = pq.read_table(folder / FILE).to_pylist()
    texts = [retrieval.embedded_text(row["heading"], row["text"]) for row in rows]
    names = [digest.of_text(text) for text in texts]
    cache = EmbeddingCache(context.config.state_path / "embeddings.db")
    vectors = cache.get(encoder.version, names)
    missing = {name: text for name, text in zip(names, texts, strict=True) if name not in vectors}
    vectors.update(_embed(context, encoder, cache, missing))

    context.stores.vectors.create(context.twin, version, _entries(rows, [vectors[name] for name in names]))
    context.crash_point("after-index")
    return sum(1 for name in names if name in missing)


def _embed(context: Context, encoder: Encoder, cache: EmbeddingCache, missing: dict[str, str]) -> "Vectors":
    """Embed texts by their names; a killed process keeps every thousand that it finished."""
    found: Vectors = {}
    names = list(missing)
    for start in range(0, len(names), BATCH):
        page = names[start : start + BATCH]

        def report(done: int, _: int, before: int = start) -> None:
            context.progress.step("chunks embedded", before + done, len(names))

        vectors = encoder.encode([missing[name] for name in page], report)
        fresh = dict(zip(page, vectors, strict=True))
        cache.put(encoder.version, fresh)
        found.update(fresh)
    return found


def _entries(rows: list[dict[str, Any]], vectors: "list[NDArray[np.float32]]") -> "Iterator[Sequence[Entry]]":
    from components.adapters.vectors.contract import Entry

    for start in range(0, len(rows), BATCH):
        page = zip(rows[start : start + BATCH], vectors[start : start + BATCH], strict=True)
        yield [
            Entry(row["chunk_id"], row["path"], row["heading"], row["text"], vector) for row, vector in page
        ]
