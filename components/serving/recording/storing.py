"""Records into the warehouse, exactly once by id; what no warehouse takes is set aside."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from components.adapters.warehouse.contract import Document, Warehouse
from components.serving.recording import segments
from components.serving.recording.batches import Item
from components.shared.errors import DataError
from components.shared.interactions import FEEDBACK

log = logging.getLogger("twinstack.serving")

#: Records that no warehouse takes, for a person to look at; in the folder of all spools.
REFUSED = "refused.seg"

#: Errors about a document, not about the warehouse: trying again would not help.
UNSTORABLE = (DataError, ValueError, TypeError, OverflowError)


class Sink:
    """Where records go.

    Args:
        warehouse: Opens the warehouse; called at the first record, again and again while that fails.
        root: Folder of the spools of all processes.
    """

    def __init__(self, warehouse: Callable[[], Warehouse], root: Path) -> None:
        self._open = warehouse
        self._refused = root / REFUSED
        self._warehouse: Warehouse | None = None

    def store(self, items: Sequence[Item]) -> int:
        """Store records, later ones over earlier ones of the same id; how many the warehouse refuses."""
        if self._warehouse is None:
            self._warehouse = self._open()
        return self._applied(self._warehouse, items)

    def _applied(self, warehouse: Warehouse, items: Sequence[Item]) -> int:
        if not items:
            return 0
        changes: dict[str, dict[str, Document]] = {}
        for one in items:
            changes.setdefault(one.collection, {})[one.document["_id"]] = one.document
        if said := changes.get(FEEDBACK):
            changes[FEEDBACK] = {key: one for key, one in said.items() if not _outdated(warehouse, one)}
        try:
            warehouse.apply({name: (found.values(), ()) for name, found in changes.items()})
        except UNSTORABLE as error:
            if len(items) == 1:
                self._refuse(items[0], error)
                return 1
            half = len(items) // 2
            return self._applied(warehouse, items[:half]) + self._applied(warehouse, items[half:])
        return 0

    def _refuse(self, one: Item, error: Exception) -> None:
        """Set a record aside that stands in the way of all others."""
        with self._refused.open("ab") as file:
            file.write(segments.packed(one.payload))
            file.flush()
            os.fsync(file.fileno())
        # The message may quote the document, and prompts do not go into logs.
        why = type(error).__name__
        log.error("the warehouse cannot hold %s: %s; it is kept in %s", one.document["_id"], why, REFUSED)


def _outdated(warehouse: Warehouse, said: Document) -> bool:
    """Whether later feedback of the same caller came by another server already."""
    found = warehouse.get(FEEDBACK, said["_id"])
    return found is not None and str(found["body"]["at"]) > str(said["body"]["at"])
