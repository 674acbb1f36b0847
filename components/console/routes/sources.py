"""What twins are made from, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends

from components.console import entrance, sources
from components.console.console import Console
from components.console.routes.described import Described
from components.console.runs import Run
from components.shared.identity import Key


def router(console: Console) -> APIRouter:
    """Sources, and collecting them now."""
    made = APIRouter(tags=["sources"], route_class=Described)

    @made.get("/sources")
    def listed(by: Annotated[Key, Depends(entrance.caller("viewer"))]) -> list[sources.Sources]:
        """What every twin is made from, and its newest collection."""
        return sources.listed(console.config, [one for one in console.config.twins if by.reaches(one)])

    @made.post("/sources/{twin}/collect", status_code=202)
    def collect(twin: str, by: Annotated[Key, Depends(entrance.caller("operator"))]) -> Run:
        """Collect a twin's sources now."""
        entrance.require_twin(console.config, by, twin)
        return console.runner.start("collect", twin, by.id)

    return made
