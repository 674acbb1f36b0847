"""Alerts over HTTP: Alertmanager's webhook, and what every alert led to."""

from typing import Annotated

from fastapi import APIRouter, Depends

from components.console import alerts, entrance
from components.console.alerts import Notification, Outcome
from components.console.console import Console
from components.console.pages import Paged
from components.console.routes.described import Described
from components.shared.identity import Key
from components.shared.metrics.operations import ALERTS_RECEIVED


def router(console: Console) -> APIRouter:
    """Alerts in, and what became of them."""
    made = APIRouter(tags=["alerts"], route_class=Described)

    @made.post("/alerts")
    def told(said: Notification, by: Annotated[Key, Depends(entrance.caller("alerts"))]) -> list[Outcome]:
        """Alertmanager's webhook; an alert of drift starts the pipeline `monitor` of its twin."""
        for one in said.alerts:
            if (twin := one.labels.get("twin", "")) in console.config.twins:
                by.require_twin(twin)
        found, new = alerts.take(console.warehouse, console.config, console.runner, said)
        console.instruments.add(ALERTS_RECEIVED, new)
        return found

    @made.get("/alerts")
    def seen(by: Annotated[Key, Depends(entrance.caller("viewer"))], page: Paged) -> list[Outcome]:
        """Every alert that was told, and what it led to; in pages."""
        found = alerts.listed(console.warehouse, page.oldest_first)
        return page.of((one for one in found if by.reaches(one.twin)), lambda one: one.id)

    return made
