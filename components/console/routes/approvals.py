"""Questions to a person over HTTP, and the answers."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from components.console import entrance
from components.console.console import Console
from components.console.pages import Paged
from components.console.routes.described import Described
from components.runtime import approvals
from components.shared.approvals import Approval, State
from components.shared.identity import Key


class Answered(BaseModel):
    """What a person says to a question."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2_000)


def router(console: Console) -> APIRouter:
    """Releases and retrainings that wait for a word."""
    made = APIRouter(tags=["approvals"], route_class=Described)

    @made.get("/approvals")
    def listed(
        by: Annotated[Key, Depends(entrance.caller("viewer"))],
        page: Paged,
        twin: str | None = None,
        state: State | None = None,
    ) -> list[Approval]:
        """Questions to a person, the newest first; in pages."""
        found = [one for one in approvals.listed(console.warehouse, twin, state) if by.reaches(one.twin)]
        ids = [one.id for one in found]
        start = ids.index(page.after) + 1 if page.after in ids else 0
        return page.of(found[start:], lambda one: one.id)

    @made.post("/approvals/{key}/approve")
    def approve(
        key: str, said: Answered, by: Annotated[Key, Depends(entrance.caller("operator"))]
    ) -> Approval:
        """Let the release answer, or start the retraining."""
        return console.decided(key, "approved", by, said.note)

    @made.post("/approvals/{key}/reject")
    def reject(
        key: str, said: Answered, by: Annotated[Key, Depends(entrance.caller("operator"))]
    ) -> Approval:
        """Leave everything as it is."""
        return console.decided(key, "rejected", by, said.note)

    return made
