"""Answers with what was said of them and what turned out to be true, as rows for a file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from components.adapters.warehouse.contract import Warehouse
from components.shared.interactions import FEEDBACK, INTERACTIONS, LABELS, Feedback, Interaction, Label

Format = Literal["jsonl", "csv"]

#: Feedback that is joined together.
BATCH = 500

COLUMNS = (
    "request_id", "interaction", "twin", "release", "role", "at", "score", "text", "feedback_at", "key",
    "inputs", "output", "context", "labels",
)  # fmt: skip


def feedback(warehouse: Warehouse, twin: str) -> Iterator[dict[str, Any]]:
    """One row a feedback, with the answer it is about; its fields are null where that is gone."""
    found = warehouse.scan(FEEDBACK, twin=twin)
    while batch := [Feedback.model_validate(one["body"]) for one in islice(found, BATCH)]:
        requests = {one.request_id for one in batch}
        answers = _answers(warehouse, twin, requests)
        labels: dict[str, list[Label]] = {}
        for each in warehouse.scan(LABELS, twin=twin, source=requests):
            labels.setdefault(each["source"], []).append(Label.model_validate(each["body"]))
        for said in batch:
            true = labels.get(said.request_id, []) if said.request_id in answers else []
            yield {
                **_about(answers.get(said.request_id)),
                "request_id": said.request_id,
                "twin": twin,
                "score": said.score,
                "text": said.text,
                "feedback_at": said.at,
                "key": said.key,
                "labels": [{"instance": one.instance, "value": one.value} for one in true],
            }


def _answers(warehouse: Warehouse, twin: str, requests: set[str]) -> dict[str, Interaction]:
    """Request to the answer that its caller got; of several the first."""
    found: dict[str, Interaction] = {}
    for one in warehouse.scan(INTERACTIONS, twin=twin, source=requests):
        answer = Interaction.model_validate(one["body"])
        if answer.role != "shadow":
            found.setdefault(answer.request_id, answer)
    return found


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
