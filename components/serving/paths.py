"""What paths are called in metrics, which of them need no key, and which are closed."""

import re

#: Routes that are open to everybody, and not worth a line in the log.
QUIET = ("health", "metrics")

#: What asks for health; exactly these, for everything else needs a key.
READY = re.compile(r"/v2/health/(live|ready)|/v2/models/[^/]+(/versions/[^/]+)?/ready")

#: What asks the model of a name, in V1 and V2.
ASKS = re.compile(r"/v1/models/([^/]+):predict|/v2/models/([^/]+)(?:/versions/[^/]+)?/infer")

#: Names of single paths.
ROUTES = {
    "/": "health",
    "/metrics": "metrics",
    "/openai/v1/chat/completions": "chat",
    "/openai/v1/completions": "completions",
    "/openai/v1/embeddings": "embeddings",
    "/v1/feedback": "feedback",
}

#: KServe lets anyone unload a model here.
CLOSED = "/v2/repository"


def asked(path: str) -> str:
    """Name of the model that a path asks; empty where the body names it, or nothing is asked."""
    found = ASKS.fullmatch(path)
    return (found[1] or found[2]) if found else ""


def route_of(path: str) -> str:
    """The route's name in metrics: a closed set, whatever path is asked for."""
    if path in ROUTES:
        return ROUTES[path]
    if path.startswith("/grpc/"):
        return "infer_grpc"
    if READY.fullmatch(path):
        return "health"
    if path.endswith(":predict"):
        return "predict_v1"
    if path.endswith("/infer"):
        return "infer_v2"
    return "models" if path.startswith(("/openai/v1/models", "/v1/models", "/v2/models")) else "other"
