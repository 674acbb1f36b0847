"""A collection of chunks in Milvus or Milvus Lite: its schema, how it is filled and searched."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from components.adapters.vectors.contract import Entry, Found

#: Longest text that Milvus stores in a field, in bytes.
LONGEST = 65_535
#: Bytes of an id, a path, a heading.
NAME = 1_024


def search(client: Any, collection: str, asked: Any, field: str, limit: int) -> list[Found]:
    """Best chunks of a loaded collection, best first, by its field `dense` or `sparse`."""
    fields = ["path", "heading", "text"]
    hits = client.search(collection, data=[asked], anns_field=field, limit=limit, output_fields=fields)
    return [
        Found(
            chunk_id=hit["chunk_id"],
            path=hit["entity"]["path"],
            heading=hit["entity"]["heading"],
            text=hit["entity"]["text"],
            # BM25 scores are positive on Milvus and negative on Milvus Lite.
            score=float(hit["distance"]) if field == "dense" else abs(float(hit["distance"])),
        )
        for hit in hits[0]
    ]


def fill(client: Any, collection: str, batches: Iterable[Sequence[Entry]], *, dense_index: str) -> int:
    """Make a collection and fill it; how many chunks it holds."""
    count = 0
    for batch in batches:
        if not count:
            _define(client, collection, len(batch[0].vector), dense_index)
        client.insert(collection, [_row(one) for one in batch])
        count += len(batch)
    client.flush(collection)  # unflushed rows are searched very slowly
    return count


def _define(client: Any, collection: str, dimensions: int, dense_index: str) -> None:
    from pymilvus import DataType, Function, FunctionType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=NAME)
    schema.add_field("path", DataType.VARCHAR, max_length=NAME)
    schema.add_field("heading", DataType.VARCHAR, max_length=NAME)
    schema.add_field("text", DataType.VARCHAR, max_length=LONGEST)
    # BM25 sees the heading too; the answer is made from the text alone.
    schema.add_field("searched", DataType.VARCHAR, max_length=LONGEST, enable_analyzer=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimensions)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["searched"],
            output_field_names=["sparse"],
        )
    )
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type=dense_index, metric_type="COSINE")
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(collection, schema=schema, index_params=indexes)


def _row(one: Entry) -> dict[str, Any]:
    row = asdict(one)
    vector = row.pop("vector")
    row["heading"] = _cut(row["heading"], NAME)
    row["text"] = _cut(row["text"], LONGEST)
    searched = _cut(f"{row['path']} {row['heading']}\n{row['text']}", LONGEST)
    return {**row, "searched": searched, "dense": vector.tolist()}


def _cut(text: str, limit: int) -> str:
    """The longest start of a text that fits, in bytes of UTF-8."""
    return text.encode()[:limit].decode(errors="ignore")
