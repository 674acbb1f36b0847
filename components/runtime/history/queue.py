"""Which answers a person should label next: drawn by a policy, always the same ones, none twice."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from components.adapters.warehouse.contract import ALL, Document, Span, Warehouse
from components.runtime.history import interactions
from components.shared import digest
from components.shared.interactions import FEEDBACK, LABELLING, LABELS, Interaction, envelope

Policy = Literal["random", "uncertain", "flagged"]

OK, FAILED = 200, 500

#: Newest interactions that a draw looks at.
AMONG = 20_000

#: Interactions that are looked up in other collections together.
BATCH = 500

#: Route whose answers are vectors, which nobody can label, and the one whose answers rest on chunks.
VECTORS, SEARCHED = "embeddings", "chat"

#: Collections that say whether an interaction may be drawn.
KNOWN = (LABELS, LABELLING, FEEDBACK)


def waiting(warehouse: Warehouse, twin: str, span: Span = ALL) -> Iterator[Document]:
    """What waits for a label, oldest first."""
    for one in warehouse.scan(LABELLING, span, twin=twin):
        if one["body"]["state"] == "waiting":
            yield one["body"]


def fill(
    warehouse: Warehouse, twin: str, policy: Policy, size: int, seed: int = 0, among: int = AMONG
) -> list[Document]:
    """Draw interactions until as many wait as wanted; drawn again from the same interactions, it is the same.

    `random` draws evenly; `uncertain` takes predictions nearest to one half, or answers whose best chunk fits
    least; `flagged` takes answers that callers disliked, that a fallback gave, that failed, or whose request
    a detector counted. Shadows, vectors, and what is labelled or was drawn before, are left out.

    Args:
        warehouse: Where everything lies.
        twin: Name of the twin.
        policy: What is drawn.
        size: How many are to wait.
        seed: Of the order that `random` draws in, and that decides between equals.
        among: How many of the newest interactions are looked at.

    Returns:
        All that wait now.
    """
    wanted = size - sum(1 for _ in waiting(warehouse, twin))
    if wanted > 0:
        looked = islice(interactions.newest(warehouse, twin), among)
        drawn = _drawn(warehouse, twin, policy, seed, looked)
        chosen = heapq.nsmallest(wanted, drawn, key=lambda one: one[:2])
        warehouse.apply({LABELLING: ([_item(twin, policy, why, one) for *_, why, one in chosen], ())})
    return list(waiting(warehouse, twin))


def _drawn(
    warehouse: Warehouse, twin: str, policy: Policy, seed: int, looked: Iterable[Interaction]
) -> Iterable[tuple[float, str, str, Interaction]]:
    """Rank (smaller comes first), tie-break, reason and interaction of all that may be drawn."""
    seen: set[str] = set()
    rest = iter(looked)
    while batch := list(islice(rest, BATCH)):
        requests = {one.request_id for one in batch}
        about = {name: list(warehouse.scan(name, twin=twin, source=requests)) for name in KNOWN}
        known = {one["source"] for name in (LABELS, LABELLING) for one in about[name]}
        disliked = {one["source"] for one in about[FEEDBACK] if one["body"]["score"] < 0}
        for one in batch:
            if one.role == "shadow" or one.route == VECTORS or one.request_id in known | seen:
                continue
            if found := _ranked(policy, one, one.request_id in disliked):
                seen.add(one.request_id)
                yield found[0], digest.of_json([seed, one.id]), found[1], one


def _ranked(policy: Policy, one: Interaction, disliked: bool) -> tuple[float, str] | None:
    if policy == "flagged":
        return _flagged(one, disliked)
    if one.status != OK:
        return None
    return _uncertain(one) if policy == "uncertain" else (0.0, "drawn at random")


def _uncertain(one: Interaction) -> tuple[float, str] | None:
    if one.kind == "llm":
        if one.route != SEARCHED:
            return None
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
