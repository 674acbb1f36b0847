"""A warehouse with interactions, as the shipper leaves them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components.adapters.warehouse.contract import Warehouse
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.shared.interactions import FEEDBACK, INTERACTIONS, Feedback, Interaction, document, id_at


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return SqliteWarehouse(tmp_path / "w.db")


def answered(warehouse: Warehouse, number: int, **over: Any) -> Interaction:
    """Store the interaction of one answered question."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    values: dict[str, Any] = {
        "id": f"{id_at(at)}{number:020x}",
        "request_id": f"r{number}",
        "at": at.isoformat(),
        "twin": "docs",
        "kind": "llm",
        "release": "rel",
        "role": "champion",
        "route": "chat",
        "status": 200,
        "inputs": [{"role": "user", "content": f"question {number}"}],
        "output": f"answer {number}",
        "scores": (number / 100,),
    }
    made = Interaction(**{**values, **over})
    warehouse.apply({INTERACTIONS: ([document(made)], ())})
    return made


def said(warehouse: Warehouse, number: int, score: float, text: str = "") -> None:
    """Store feedback on it."""
    made = Feedback(
        id=f"f{number}",
        request_id=f"r{number}",
        twin="docs",
        at="2026-01-20T00:00:00+00:00",
        score=score,
        text=text,
    )
    warehouse.apply({FEEDBACK: ([document(made)], ())})
