"""What stands in a segment, read in pieces of one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.adapters.warehouse.contract import Document
from components.serving.recording import segments
from components.serving.recording.detected import complete
from components.serving.recording.folders import Orphan, Segment
from components.serving.recording.records import decoded
from components.serving.recording.spool import Spool

#: Records and bytes of one transaction.
BATCH, BATCH_BYTES = 500, 4_000_000


@dataclass(frozen=True)
class Item:
    """A record on its way."""

    payload: bytes
    collection: str
    document: Document


@dataclass(frozen=True)
class Batch:
    """What one transaction brings, and where it leaves off in its segment."""

    owner: Spool | Orphan
    segment: Segment
    items: Sequence[Item]
    end: int
    damaged: int


def read(owner: Spool | Orphan, segment: Segment, start: int) -> Batch:
    """The next records of a segment; what is no record is counted as damaged.

    Args:
        owner: Whose segment it is.
        segment: The file.
        start: Offset of the first byte that is not stored yet.
    """
    with segment.path.open("rb") as file:
        file.seek(start)
        data = file.read(segment.size - start)
    items: list[Item] = []
    end = damaged = 0
    for found in segments.records(data):
        try:
            if found.payload is None:
                raise ValueError("damaged")
            collection, document = decoded(found.payload)
            complete(collection, document)
            items.append(Item(found.payload, collection, document))
        except ValueError:
            damaged += 1
        end = found.end
        if len(items) >= BATCH or end >= BATCH_BYTES:
            break
    return Batch(owner, segment, items, start + end, damaged)
