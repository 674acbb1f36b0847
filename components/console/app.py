"""The operations API: its routes put together, and the role that each asks for."""

from collections.abc import Iterator

from fastapi import FastAPI, Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST

from components.console import entrance
from components.console.console import Console
from components.console.problems import ERRORS
from components.console.routes import alerts, approvals, records, runs, sources
from components.console.routes.described import Described

PREFIX = "/api/v1"

#: The routes below `/api/v1`, by subject.
ROUTERS = (alerts.router, approvals.router, sources.router, runs.router, records.labels, records.answers)


def made(console: Console) -> FastAPI:
    """The app over a console."""
    # FastAPI's own page has the browser run a script of another host, which a closed network has not.
    app = FastAPIOffline(
        title="Twinstack operations API", version="1", redoc_url=None, static_url="/docs/static"
    )
    app.router.route_class = Described
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
