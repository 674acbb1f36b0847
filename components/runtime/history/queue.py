"""Which answers a person should label next: drawn by a policy, always the same ones, none twice."""

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from components.adapters.warehouse import Document, Warehouse
from components.runtime.history import interactions
from components.shared import digest
from components.shared.interactions import FEEDBACK, LABELLING, LABELS, Interaction, envelope

Policy = Literal["random", "uncertain", "flagged"]

OK, FAILED = 200, 500


def waiting(warehouse: Warehouse, twin: str) -> list[Document]:
    """What waits for a label, oldest first."""
    return [one["body"] for one in warehouse.scan(LABELLING, twin=twin) if one["body"]["state"] == "waiting"]


def fill(warehouse: Warehouse, twin: str, policy: Policy, size: int, seed: int = 0) -> list[Document]:
    """Draw interactions until as many wait as wanted; drawn again from the same interactions, it is the same.

    `random` draws evenly; `uncertain` takes predictions nearest to one half, or answers whose best chunk fits
    least; `flagged` takes answers that callers disliked, that a fallback gave, that failed, or whose request
    a detector counted. Shadows, and what is labelled or was drawn before, are left out.

    Args:
        warehouse: Where everything lies.
        twin: Name of the twin.
        policy: What is drawn.
        size: How many are to wait.
        seed: Of the order that `random` draws in, and that decides between equals.

    Returns:
        All that wait now.
    """
    present = waiting(warehouse, twin)
    wanted = size - len(present)
    if wanted > 0:
        known = {one["source"] for one in warehouse.scan(LABELS, twin=twin)}
        known |= {one["source"] for one in warehouse.scan(LABELLING, twin=twin)}
        drawn = _drawn(warehouse, twin, policy, seed, known)
        chosen = heapq.nsmallest(wanted, drawn, key=lambda one: one[:2])
        warehouse.apply({LABELLING: ([_item(twin, policy, why, one) for *_, why, one in chosen], ())})
    return waiting(warehouse, twin)


def _drawn(
    warehouse: Warehouse, twin: str, policy: Policy, seed: int, known: set[str]
) -> Iterable[tuple[float, str, str, Interaction]]:
    """Rank (smaller comes first), tie-break, reason and interaction of all that may be drawn."""
    disliked = {
        one["source"] for one in warehouse.scan(FEEDBACK, twin=twin) if one["body"]["score"] < 0
    } if policy == "flagged" else set()  # fmt: skip
    seen = set(known)
    for one in interactions.of_twin(warehouse, twin):
        if one.role == "shadow" or one.request_id in seen:
            continue
        tie = digest.of_json([seed, one.id])
        if policy == "random":
            found: tuple[float, str] | None = (0.0, "drawn at random") if one.status == OK else None
        elif policy == "uncertain":
            found = _uncertain(one)
        else:
            found = _flagged(one, one.request_id in disliked)
        if found:
            seen.add(one.request_id)
            yield found[0], tie, found[1], one


def _uncertain(one: Interaction) -> tuple[float, str] | None:
    if one.status != OK:
        return None
    if one.kind == "llm":
        best = max(one.scores, default=0.0)
        return best, f"best chunk scores {best:.3f}"
    rows = one.output if isinstance(one.output, list) else []
    chances = [row["probability"] for row in rows if isinstance(row, dict) and "probability" in row]
    if not chances:
        return None
    nearest = min(chances, key=lambda chance: abs(chance - 0.5))
    return abs(nearest - 0.5), f"probability {nearest:.3f}"


def _flagged(one: Interaction, disliked: bool) -> tuple[float, str] | None:
    reasons = [
        (disliked, 0.0, "a caller disliked it"),
        (one.status >= FAILED, 1.0, f"status {one.status}"),
        (one.answered != "model", 2.0, f"answered by {one.answered}"),
        (any(one.signals.values()), 3.0, ", ".join(name for name, count in one.signals.items() if count)),
    ]
    return next(((rank, why) for holds, rank, why in reasons if holds), None)


def _item(twin: str, policy: Policy, why: str, one: Interaction) -> Document:
    body = {
        "interaction": one.id,
        "request_id": one.request_id,
        "twin": twin,
        "policy": policy,
        "why": why,
        "at": one.at,
        "drawn": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": "waiting",
    }
    return envelope(one.id, twin, one.request_id, body)
