"""The answer to a scrape: of this process, or of every process that shares PROMETHEUS_MULTIPROC_DIR.

KServe's own handler answers for the worker that happens to get the request.
"""

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import Response

#: Folder that prometheus_client shares between processes; read when it is imported, so set it before.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


def registry() -> CollectorRegistry:
    """What a scrape shows: this process's own metrics, or those of all that share the folder."""
    folder = os.environ.get(SHARED)
    if not folder:
        return REGISTRY
    _forget_the_dead(Path(folder))
    every = CollectorRegistry()
    MultiProcessCollector(every, folder)  # type: ignore[no-untyped-call]
    return every


def _forget_the_dead(folder: Path) -> None:
    """Gauges of a killed worker would be summed for ever; its counters stay, they have happened."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rsplit("_", 1)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            continue


async def handler(request: Request) -> Response:
    """`GET /metrics`, in the format that the scraper asks for."""
    encoder, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encoder(registry()), headers={"content-type": content_type})
