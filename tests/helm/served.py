"""What a front serves, from the OpenAPI of its routes."""

import re
from functools import cache


@cache
def _operations() -> list[tuple[re.Pattern[str], frozenset[str]]]:
    from components.serving.rest import quiet_arguments

    with quiet_arguments():
        from kserve.model_repository import ModelRepository
        from kserve.protocol.dataplane import DataPlane
        from kserve.protocol.model_repository_extension import ModelRepositoryExtension
        from kserve.protocol.rest.v1_endpoints import register_v1_endpoints
        from kserve.protocol.rest.v2_endpoints import register_v2_endpoints
    from fastapi import FastAPI

    from components.serving.openai.routes import router
    from components.shared.config.serving import Serving

    app, repository = FastAPI(), ModelRepository()
    for register in (register_v1_endpoints, register_v2_endpoints):
        register(app, DataPlane(repository), ModelRepositoryExtension(repository))
    app.include_router(router({}, Serving()))
    return [
        (re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", path)), frozenset(map(str.upper, methods)))
        for path, methods in app.openapi()["paths"].items()
    ]


def serves(method: str, path: str) -> bool:
    """Whether a front has a route for it."""
    return any(pattern.fullmatch(path) and method in methods for pattern, methods in _operations())
