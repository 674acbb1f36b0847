"""Asking a person, and taking the answer, once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from components.adapters.warehouse.contract import ConflictError, Expected, Warehouse
from components.shared import digest
from components.shared.approvals import APPROVALS, Approval, State, Subject
from components.shared.errors import NotFoundError


def ask(
    warehouse: Warehouse, twin: str, subject: Subject, target: str, reason: str, now: datetime | None = None
) -> Approval:
    """Ask a person about something; what was asked before, answered or not, is returned as it is."""
    key = digest.of_json([twin, subject, target])
    asked = _stamp(now or datetime.now(UTC))
    found = warehouse.get(APPROVALS, key)
    if found:
        return Approval.model_validate(found["body"])
    made = Approval(id=key, twin=twin, subject=subject, target=target, reason=reason, asked=asked)
    try:
        _write(warehouse, made, before=None)
    except ConflictError:  # somebody asked the same in this moment
        return read(warehouse, key)
    return made


def read(warehouse: Warehouse, key: str) -> Approval:
    """An approval by its id.

    Raises:
        NotFoundError: There is none.
    """
    found = warehouse.get(APPROVALS, key)
    if not found:
        raise NotFoundError(
            f"no approval '{key[:80]}'", param="id", remedy="GET /api/v1/approvals lists what there is"
        )
    return Approval.model_validate(found["body"])


def listed(warehouse: Warehouse, twin: str | None = None, state: State | None = None) -> list[Approval]:
    """Approvals, the newest question first."""
    found = [one for one in _all(warehouse, twin) if state in (None, one.state)]
    return sorted(found, key=lambda one: one.asked, reverse=True)


def decide(
    warehouse: Warehouse, key: str, state: State, by: str, note: str = "", now: datetime | None = None
) -> Approval:
    """Write down a person's answer.

    Raises:
        NotFoundError: There is no such approval.
        ConflictError: It was answered before.
    """
    before = read(warehouse, key)
    if before.state != "pending":
        raise ConflictError(
            f"approval '{key}' was {before.state} by '{before.by}' at {before.decided}",
            where="approvals",
            remedy="nothing is left to decide",
        )
    changes = {"state": state, "by": by, "note": note, "decided": _stamp(now or datetime.now(UTC))}
    after = before.model_copy(update={**changes, "revision": before.revision + 1})
    _write(warehouse, after, before=before.revision)
    return after


def reopen(warehouse: Warehouse, decided: Approval) -> None:
    """Take an answer back because what it asked for could not be done."""
    changes = {"state": "pending", "by": "", "note": "", "decided": ""}
    after = decided.model_copy(update={**changes, "revision": decided.revision + 1})
    _write(warehouse, after, before=decided.revision)


def _all(warehouse: Warehouse, twin: str | None) -> Iterator[Approval]:
    equal: dict[str, Any] = {"twin": twin} if twin else {}
    for found in warehouse.scan(APPROVALS, **equal):
        yield Approval.model_validate(found["body"])


def _write(warehouse: Warehouse, made: Approval, before: int | None) -> None:
    document = {
        "_id": made.id,
        "twin": made.twin,
        "revision": made.revision,
        "body": made.model_dump(mode="json"),
    }
    warehouse.apply({APPROVALS: ([document], ())}, Expected(APPROVALS, made.id, before))


def _stamp(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
