"""Runs of pipelines over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from components.console import entrance
from components.console.console import Console
from components.console.pages import Paged
from components.console.routes.described import Described
from components.console.runs import Pipeline, Run
from components.shared.identity import Key


class Start(BaseModel):
    """A run to start."""

    model_config = ConfigDict(extra="forbid")

    pipeline: Pipeline
    twin: str = Field(max_length=100)


def router(console: Console) -> APIRouter:
    """Runs, and starting one."""
    made = APIRouter(tags=["runs"], route_class=Described)

    @made.get("/runs")
    def listed(
        by: Annotated[Key, Depends(entrance.caller("viewer"))], page: Paged, twin: str | None = None
    ) -> list[Run]:
        """Runs that this API started, the newest first; in pages."""
        found = console.runner.listed(twin, page.newest_first)
        return page.of((one for one in found if by.reaches(one.twin)), lambda one: one.id)

    @made.get("/runs/{key}")
    def read(key: str, by: Annotated[Key, Depends(entrance.caller("viewer"))]) -> Run:
        """One run, with the stages done so far."""
        found = console.runner.read(key)
        by.require_twin(found.twin)
        return found

    @made.post("/runs", status_code=202)
    def start(said: Start, by: Annotated[Key, Depends(entrance.caller("operator"))]) -> Run:
        """Start a pipeline; one run of a twin at a time."""
        entrance.require_twin(console.config, by, said.twin)
        return console.runner.start(said.pipeline, said.twin, by.id)

    return made
