"""The operations API: routes only; what they do lies in the modules beside this one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from components.adapters.stores import Stores
from components.console import alerts, entrance, records, retraining, sources
from components.console.alerts import Notification, Outcome
from components.console.pages import Paged
from components.console.runner import CommandRunner
from components.console.runs import Pipeline, Run, Runner
from components.runtime import approvals, promotion, standby
from components.runtime.keys import Keys
from components.shared.approvals import Approval, State
from components.shared.config import Config
from components.shared.errors import BUSY, TwinError
from components.shared.identity import Key
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.operations import ALERTS_RECEIVED, APPROVALS_PENDING, RUNS

PREFIX = "/api/v1"


class Answered(BaseModel):
    """What a person says to a question."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2_000)


class Start(BaseModel):
    """A run to start."""

    model_config = ConfigDict(extra="forbid")

    pipeline: Pipeline
    twin: str = Field(max_length=100)


class Console:
    """What the routes share.

    Args:
        config: The configuration.
        file: Where it was read from.
        runner: Starts runs; None takes the command line.
    """

    def __init__(self, config: Config, file: Path, runner: Runner | None = None) -> None:
        self.config = config
        self.keys = Keys(config)
        self.warehouse = Stores(config).warehouse
        self.registry = CollectorRegistry()
        self.instruments = Instruments(self.registry, side="console")
        self.runner = runner or CommandRunner(config, file, self.ended)

    def ended(self, run: Run) -> str:
        """Count a run, and propose what follows from it."""
        self.instruments.add(RUNS, 1, run.twin, run.pipeline, run.state)
        return retraining.consider(self.config, run)

    def exposition(self) -> bytes:
        """The metrics, with the questions counted now."""
        pending = [(one.twin, one.subject) for one in approvals.listed(self.warehouse, state="pending")]
        for twin in self.config.twins:
            for subject in ("release", "retraining"):
                self.instruments.set(APPROVALS_PENDING, pending.count((twin, subject)), twin, subject)
        return generate_latest(self.registry)

    def decided(self, key: str, state: State, by: Key, note: str) -> Approval:
        """Write an answer down and do what was approved; what cannot be done leaves the question open.

        Raises:
            ForbiddenError: The key is for other twins.
            NotFoundError: There is no such question.
            ConflictError: It was answered before, or a run of the twin is going on.
            ClusterError: The release's predictor did not become ready.
        """
        by.require_twin(approvals.read(self.warehouse, key).twin)
        found = approvals.decide(self.warehouse, key, state, by.id, note)
        if state != "approved":
            standby.withdraw(self.warehouse, found.twin, [found.target])
            return found
        try:
            if found.subject == "release":
                promotion.promoted(self.config, found.twin, found.target, report=lambda _: None)
            else:
                self.runner.start(retraining.PIPELINE, found.twin, by.id)
        except TwinError:
            approvals.reopen(self.warehouse, found)
            raise
        return found


def made(console: Console) -> FastAPI:
    """The app over a console."""
    app = FastAPI(title="Twinstack operations API", version="1", docs_url="/docs", redoc_url=None)
    entrance.install(app, console.keys, console.config.console, console.instruments)

    @app.get("/healthz", tags=["health"])
    def healthz() -> dict[str, str]:
        """Whether it answers."""
        return {"status": "ok"}

    @app.get("/metrics", tags=["health"], response_class=Response)
    def metrics() -> Response:
        """Prometheus metrics of the operations API."""
        return Response(console.exposition(), media_type=CONTENT_TYPE_LATEST)

    for made_by in ROUTERS:
        app.include_router(made_by(console), prefix=PREFIX, responses=ERRORS)
    return app


RETRY_AFTER = {
    "retry-after": {
        "description": "Seconds after which another try can succeed.",
        "schema": {"type": "integer", "minimum": 1},
    }
}

#: The documented shape of every error.
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text,
        **({"headers": RETRY_AFTER} if code in BUSY else {}),
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {
                            "type": "object",
                            "required": ["message", "type", "param", "request_id"],
                            "properties": {
                                "message": {"type": "string"},
                                "type": {"type": "string"},
                                "param": {"type": ["string", "null"]},
                                "request_id": {"type": "string"},
                            },
                        }
                    },
                }
            }
        },
    }
    for code, text in (
        (400, "A field is wrong."),
        (401, "No API key, or an unknown one."),
        (403, "The key lacks the role."),
        (404, "There is no such thing."),
        (409, "It was decided before, or a run is going on."),
        (413, "The body is too large."),
        (422, "A row of data cannot be used."),
        (429, "The key has reached a limit."),
        (503, "The warehouse, or what a run needs, does not answer."),
    )
}


def _alerts(console: Console) -> APIRouter:
    router = APIRouter(tags=["alerts"])

    @router.post("/alerts")
    def told(said: Notification, by: Annotated[Key, Depends(entrance.caller("alerts"))]) -> list[Outcome]:
        """Alertmanager's webhook; an alert of drift starts the pipeline `monitor` of its twin."""
        for one in said.alerts:
            if (twin := one.labels.get("twin", "")) in console.config.twins:
                by.require_twin(twin)
        found, new = alerts.take(console.warehouse, console.config, console.runner, said)
        console.instruments.add(ALERTS_RECEIVED, new)
        return found

    @router.get("/alerts")
    def seen(by: Annotated[Key, Depends(entrance.caller("viewer"))], page: Paged) -> list[Outcome]:
        """Every alert that was told, and what it led to; in pages."""
        found = alerts.listed(console.warehouse, page.oldest_first)
        return page.of((one for one in found if by.reaches(one.twin)), lambda one: one.id)

    return router


def _approvals(console: Console) -> APIRouter:
    router = APIRouter(tags=["approvals"])

    @router.get("/approvals")
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

    @router.post("/approvals/{key}/approve")
    def approve(
        key: str, said: Answered, by: Annotated[Key, Depends(entrance.caller("operator"))]
    ) -> Approval:
        """Let the release answer, or start the retraining."""
        return console.decided(key, "approved", by, said.note)

    @router.post("/approvals/{key}/reject")
    def reject(
        key: str, said: Answered, by: Annotated[Key, Depends(entrance.caller("operator"))]
    ) -> Approval:
        """Leave everything as it is."""
        return console.decided(key, "rejected", by, said.note)

    return router


def _sources(console: Console) -> APIRouter:
    router = APIRouter(tags=["sources"])

    @router.get("/sources")
    def listed(by: Annotated[Key, Depends(entrance.caller("viewer"))]) -> list[sources.Sources]:
        """What every twin is made from, and its newest collection."""
        return sources.listed(console.config, [one for one in console.config.twins if by.reaches(one)])

    @router.post("/sources/{twin}/collect", status_code=202)
    def collect(twin: str, by: Annotated[Key, Depends(entrance.caller("operator"))]) -> Run:
        """Collect a twin's sources now."""
        entrance.require_twin(console.config, by, twin)
        return console.runner.start("collect", twin, by.id)

    return router


def _runs(console: Console) -> APIRouter:
    router = APIRouter(tags=["runs"])

    @router.get("/runs")
    def listed(
        by: Annotated[Key, Depends(entrance.caller("viewer"))], page: Paged, twin: str | None = None
    ) -> list[Run]:
        """Runs that this API started, the newest first; in pages."""
        found = console.runner.listed(twin, page.newest_first)
        return page.of((one for one in found if by.reaches(one.twin)), lambda one: one.id)

    @router.get("/runs/{key}")
    def read(key: str, by: Annotated[Key, Depends(entrance.caller("viewer"))]) -> Run:
        """One run, with the stages done so far."""
        found = console.runner.read(key)
        by.require_twin(found.twin)
        return found

    @router.post("/runs", status_code=202)
    def start(said: Start, by: Annotated[Key, Depends(entrance.caller("operator"))]) -> Run:
        """Start a pipeline; one run of a twin at a time."""
        entrance.require_twin(console.config, by, said.twin)
        return console.runner.start(said.pipeline, said.twin, by.id)

    return router


#: The routes below `/api/v1`, by subject.
ROUTERS = (_alerts, _approvals, _sources, _runs, records.labels, records.answers)


def roles(console: Console) -> dict[tuple[str, str], str]:
    """Method and path to the role that the route asks for."""
    return {
        (method, PREFIX + route.path): role
        for made_by in ROUTERS
        for route in made_by(console).routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        for role in _needed(route)
    }


def _needed(route: APIRoute) -> Iterator[str]:
    for one in route.dependant.dependencies:
        if hasattr(one.call, entrance.ROLE):
            yield getattr(one.call, entrance.ROLE)
