"""Answers with what was said of them and what turned out to be true, as rows for a file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from components.adapters.warehouse import Warehouse
from components.runtime.history import interactions
from components.shared.errors import NotFoundError
from components.shared.interactions import FEEDBACK, Feedback, Interaction

Format = Literal["jsonl", "csv"]

COLUMNS = (
    "request_id", "interaction", "twin", "release", "role", "at", "score", "text", "feedback_at", "key",
    "inputs", "output", "context", "labels",
)  # fmt: skip


def feedback(warehouse: Warehouse, twin: str) -> Iterator[dict[str, Any]]:
    """One row a feedback, with the answer it is about; its fields are null where that is gone."""
    for found in warehouse.scan(FEEDBACK, twin=twin):
        said = Feedback.model_validate(found["body"])
        try:
            answers = interactions.find(warehouse, [twin], said.request_id)
        except NotFoundError:
            answers = []
        about = next((one for one in answers if one.role != "shadow"), None)
        labels = interactions.labels_of(warehouse, about) if about else []
        yield {
            **_about(about),
            "request_id": said.request_id,
            "twin": twin,
            "score": said.score,
            "text": said.text,
            "feedback_at": said.at,
            "key": said.key,
            "labels": [{"instance": one.instance, "value": one.value} for one in labels],
        }


def _about(one: Interaction | None) -> dict[str, Any]:
    if one is None:
        return dict.fromkeys(COLUMNS)
    return {
        "interaction": one.id,
        "release": one.release,
        "role": one.role,
        "at": one.at,
        "inputs": one.inputs,
        "output": one.output,
        "context": list(one.context),
    }


def lines(rows: Iterable[dict[str, Any]], form: Format) -> Iterator[str]:
    """Rows as lines of JSON, or of CSV with a head, where lists are JSON texts.

    A CSV cell that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    if form == "jsonl":
        for row in rows:
            yield json.dumps({name: row.get(name) for name in COLUMNS}, ensure_ascii=False) + "\n"
        return
    yield _csv(COLUMNS)
    for row in rows:
        yield _csv([_cell(row.get(name)) for name in COLUMNS])


def _csv(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return json.dumps(value, ensure_ascii=False)
