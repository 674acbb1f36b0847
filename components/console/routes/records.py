"""Labels, the labelling queue, feedback and lineage over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from components.adapters.stores import Stores
from components.console import entrance
from components.console.console import Console
from components.console.pages import Paged
from components.console.routes.described import Described
from components.runtime.history import export, lineage, queue
from components.runtime.history import labels as late
from components.shared.identity import Key

MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class Row(BaseModel):
    """What turned out to be true of one instance of a request."""

    model_config = ConfigDict(extra="forbid")

    request_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    value: str | float
    event_time: str = Field(max_length=40)
    instance: int = Field(default=0, ge=0, le=1_000_000)


class Labels(BaseModel):
    """Labels of one twin."""

    model_config = ConfigDict(extra="forbid")

    twin: str
    labels: list[Row] = Field(min_length=1, max_length=10_000)


class Added(BaseModel):
    """What became of the labels."""

    added: int
    changed: int
    unchanged: int
    without_interaction: int


def labels(console: Console) -> APIRouter:
    """Labels in, and what waits for one."""
    router = APIRouter(tags=["labels"], route_class=Described)
    labeler = entrance.caller("labeler")

    @router.post("/labels")
    def add(said: Labels, by: Annotated[Key, Depends(labeler)]) -> Added:
        """Store labels by request id; the same again changes nothing, the later event holds."""
        entrance.require_twin(console.config, by, said.twin)
        table = late.table_of(console.config, said.twin)
        rows = [
            late.parsed(one.model_dump(), said.twin, f"labels[{place}]", table)
            for place, one in enumerate(said.labels)
        ]
        return Added(**late.add(console.warehouse, rows))

    @router.get("/labels/queue")
    def waiting(twin: str, by: Annotated[Key, Depends(labeler)], page: Paged) -> list[dict[str, Any]]:
        """What waits for a label, oldest first; in pages."""
        entrance.require_twin(console.config, by, twin)
        found = queue.waiting(console.warehouse, twin, page.oldest_first)
        return page.of(found, lambda one: str(one["interaction"]))

    @router.post("/labels/queue")
    def fill(
        twin: str,
        policy: queue.Policy,
        by: Annotated[Key, Depends(labeler)],
        size: Annotated[int, Query(ge=0, le=10_000)] = 20,
        seed: Annotated[int, Query(ge=0)] = 0,
        among: Annotated[int, Query(ge=1, le=1_000_000)] = queue.AMONG,
    ) -> list[dict[str, Any]]:
        """Draw from the newest answers until as many wait as wanted; none comes twice."""
        entrance.require_twin(console.config, by, twin)
        return queue.fill(console.warehouse, twin, policy, size, seed, among)

    return router


def answers(console: Console) -> APIRouter:
    """What was said of answers, and what they rest on."""
    router = APIRouter(tags=["answers"], route_class=Described)
    viewer = entrance.caller("viewer")
    stores = Stores(console.config)

    @router.get("/feedback", response_class=StreamingResponse)
    def feedback(
        twin: str, by: Annotated[Key, Depends(viewer)], form: export.Format = "jsonl"
    ) -> StreamingResponse:
        """Every feedback of a twin with its answer and labels, as JSON lines or CSV."""
        entrance.require_twin(console.config, by, twin)
        rows = export.lines(export.feedback(console.warehouse, twin), form)
        return StreamingResponse(rows, media_type=MEDIA[form])

    @router.get("/lineage/{request_id}")
    def traced(request_id: str, by: Annotated[Key, Depends(viewer)]) -> list[dict[str, Any]]:
        """All that an answer rests on."""
        twins = [one for one in console.config.twins if not by.twins or one in by.twins]
        found = lineage.trace(stores, twins, request_id)
        return [one.as_json() for one in found]

    return router
