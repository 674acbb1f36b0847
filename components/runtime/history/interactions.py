"""Finding interactions and what belongs to them, and deleting the old ones."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from components.adapters.warehouse import Warehouse
from components.shared.errors import NotFoundError
from components.shared.interactions import (
    FEEDBACK,
    INTERACTIONS,
    LABELLING,
    LABELS,
    Feedback,
    Interaction,
    Label,
)

#: Documents of one transaction.
BATCH = 500


def find(warehouse: Warehouse, twins: Iterable[str], name: str) -> list[Interaction]:
    """Interactions by our id, or by the request id that the caller was given or gave; shadows included.

    Raises:
        NotFoundError: There is none.
    """
    if one := warehouse.get(INTERACTIONS, name):
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


def of_twin(warehouse: Warehouse, twin: str) -> Iterator[Interaction]:
    """Every interaction of a twin, oldest first."""
    for one in warehouse.scan(INTERACTIONS, twin=twin):
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
    limit = ((now or datetime.now(UTC)) - timedelta(days=days)).isoformat()
    deleted = {}
    for collection in (INTERACTIONS, FEEDBACK, LABELLING):
        old = [one["_id"] for one in warehouse.scan(collection, twin=twin) if one["body"]["at"] < limit]
        for start in range(0, len(old), BATCH):
            warehouse.apply({collection: ((), old[start : start + BATCH])})
        deleted[collection] = len(old)
    return deleted
