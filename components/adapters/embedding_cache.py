"""Vectors that were computed before: a chunk whose text did not change is never embedded again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.adapters import sqlite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

#: Keys of one query; SQLite takes 32,766 bound values.
PAGE = 10_000


class EmbeddingCache:
    """SQLite file of (encoder version, digest of text) to float32 vector."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite.opened(path, synchronous="NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS vectors ("
            "encoder TEXT NOT NULL, text TEXT NOT NULL, vector BLOB NOT NULL,"
            "PRIMARY KEY (encoder, text)) WITHOUT ROWID"
        )

    def get(self, encoder: str, texts: Sequence[str]) -> "dict[str, Vector]":
        """Known vectors by the digest of their text."""
        import numpy as np

        found: dict[str, Vector] = {}
        for start in range(0, len(texts), PAGE):
            page = list(texts[start : start + PAGE])
            marks = ",".join("?" * len(page))
            rows = self._db.execute(
                f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({marks})",  # noqa: S608
                (encoder, *page),
            )
            found.update({text: np.frombuffer(raw, dtype=np.float32) for text, raw in rows})
        return found

    def put(self, encoder: str, vectors: "Mapping[str, Vector]") -> None:
        """Keep vectors by the digest of their text, all in one transaction."""
        with sqlite.transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors (encoder, text, vector) VALUES (?, ?, ?)",
                ((encoder, text, vector.astype("float32").tobytes()) for text, vector in vectors.items()),
            )
