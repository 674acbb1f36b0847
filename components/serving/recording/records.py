"""What stands in a record of the spool: the warehouse collection and the document."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from components.adapters.warehouse.contract import Document

#: How JSON writes it; a text may hold these letters themselves, which are then left as they are.
NUL = b"\\u0000"


def encoded(collection: str, document: Mapping[str, Any]) -> bytes:
    """A document on its way to a collection, as UTF-8 JSON. NaN becomes null, NUL becomes U+FFFD."""
    record = {"collection": collection, "document": document}
    try:
        found = orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        # Half of a surrogate pair, a whole number above 64 bits: rare, and no reason to keep nothing.
        return orjson.dumps(_plain(record))
    # PostgreSQL holds no NUL: a caller who sends one must not keep its request out of the warehouse.
    return orjson.dumps(_plain(orjson.loads(found))) if NUL in found else found


def _plain(value: Any) -> Any:
    """A value that every JSON library and every warehouse can hold, as near as possible."""
    if isinstance(value, Mapping):
        return {str(_plain(str(name))): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return str(value).encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def decoded(payload: bytes) -> tuple[str, Document]:
    """The collection and the document of a record.

    Raises:
        ValueError: It is none of ours.
    """
    found = orjson.loads(payload)
    if not isinstance(found, dict) or not isinstance(found.get("document"), dict):
        raise ValueError("not a record")
    return str(found["collection"]), found["document"]
