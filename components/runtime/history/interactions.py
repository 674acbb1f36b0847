"""Finding interactions and what belongs to them, and deleting the old ones."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from components.adapters.warehouse.contract import Document, Span, Warehouse
from components.shared.errors import NotFoundError
from components.shared.interactions import (
    FEEDBACK,
    INTERACTIONS,
    LABELLING,
    LABELS,
    Feedback,
    Interaction,
    Label,
    id_at,
)

#: Documents of one transaction.
BATCH = 500


def find(warehouse: Warehouse, twins: Collection[str], name: str) -> list[Interaction]:
    """Interactions of twins by our id, or by the request id that the caller got or gave; shadows included.

    Raises:
        NotFoundError: There is none.
    """
    if (one := warehouse.get(INTERACTIONS, name)) and one["twin"] in twins:
        return [Interaction.model_validate(one["body"])]
    found = [
        Interaction.model_validate(one["body"])
        for twin in twins
        for one in warehouse.scan(INTERACTIONS, twin=twin, source=name)
    ]
    if not found:
        raise NotFoundError(
            f"no interaction '{name[:64]}'",
            param="request_id",
            remedy="it may still be on its way (twinstack_spool_lag_seconds), or was purged by its age",
        )
    return found


def newest(warehouse: Warehouse, twin: str) -> Iterator[Interaction]:
    """Interactions of a twin, the newest first."""
    for one in warehouse.scan(INTERACTIONS, Span(backwards=True), twin=twin):
        yield Interaction.model_validate(one["body"])


def feedback_on(warehouse: Warehouse, one: Interaction) -> list[Feedback]:
    """What callers said of an answer."""
    found = warehouse.scan(FEEDBACK, twin=one.twin, source=one.request_id)
    return [Feedback.model_validate(each["body"]) for each in found]


def labels_of(warehouse: Warehouse, one: Interaction) -> list[Label]:
    """What turned out to be true of an answer's instances."""
    found = warehouse.scan(LABELS, twin=one.twin, source=one.request_id)
    return [Label.model_validate(each["body"]) for each in found]


def purge(warehouse: Warehouse, twin: str, days: int, now: datetime | None = None) -> dict[str, int]:
    """Delete a twin's interactions and feedback that are older than some days, and what waits for labels.

    Labels stay: they hold an outcome and a request id, and no text of the request. What was shipped to
    backups, or lies in free pages of the database, is not reached from here.

    Args:
        warehouse: Where they lie.
        twin: Name of the twin.
        days: Age.
        now: The present.

    Returns:
        Collection to the number of documents deleted.
    """
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    older = Span(before=id_at(limit))
    # What waits for a label has the id of its interaction; that of feedback says nothing of its age.
    found = {name: warehouse.scan(name, older, twin=twin) for name in (INTERACTIONS, LABELLING)}
    said = (one for one in warehouse.scan(FEEDBACK, twin=twin) if one["body"]["at"] < limit.isoformat())
    return {name: _deleted(warehouse, name, old) for name, old in {**found, FEEDBACK: said}.items()}


def _deleted(warehouse: Warehouse, collection: str, found: Iterator[Document]) -> int:
    """Delete documents, some in a transaction; how many they were."""
    ids = (one["_id"] for one in found)
    deleted = 0
    while batch := list(islice(ids, BATCH)):
        warehouse.apply({collection: ((), batch)})
        deleted += len(batch)
    return deleted
