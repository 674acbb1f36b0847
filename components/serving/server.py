"""One KServe ModelServer process: the front and the predictor of every twin that has a champion."""

import contextlib
import gc
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from components.adapters.stores import Stores
from components.runtime.keys import Keys, require_safe
from components.runtime.logs import to_stderr
from components.serving.exchange import Observer
from components.serving.limits.access import Access
from components.serving.opening import champions, opened
from components.serving.recording.opened import recording
from components.serving.recording.recorder import Recorder
from components.serving.rest import listen, quiet_arguments
from components.serving.stopping import Stopped, Stopping
from components.serving.traffic.watcher import Watcher
from components.serving.waiting import alive, awaited
from components.serving.watching.watch import Watch
from components.shared.config import Config
from components.shared.metrics.instruments import Instruments

if TYPE_CHECKING:
    from components.serving.opening import Front

log = logging.getLogger("twinstack.serving")


def serve(
    config: Config, twins: list[str] | None = None, host: str | None = None, port: int | None = None
) -> None:
    """Serve the champions of all twins, or of the named ones, until SIGTERM or Ctrl-C.

    Args:
        config: The configuration.
        twins: Names; None serves every twin that has a champion.
        host: Address to listen on; None takes `serving.host`.
        port: Port to listen on; None takes `serving.port`, 0 a free one.

    Raises:
        ConfigError: There is no twin of a name.
        MissingError: A named twin, or every twin, is without a champion.
        PortError: The port is in use.
    """
    warnings.filterwarnings("ignore", module=r"(fastapi|feast|kserve)\.")
    to_stderr()
    stopping = Stopping(config.serving.drain_seconds)
    with contextlib.suppress(Stopped), stopping.taken():
        _serve(config, twins, host, port, stopping)
    log.info("stopped")


def _serve(
    config: Config, twins: list[str] | None, host: str | None, port: int | None, stopping: Stopping
) -> None:
    stores = Stores(config)
    host = config.serving.host if host is None else host
    keys = Keys(config)
    require_safe(host, keys.ring, config)
    # On a laptop somebody reads the error. A pod has to wait for the first release without being restarted.
    waits = config.profile == "cluster"
    releases = [] if waits else champions(config, stores, twins)
    bound = listen(host, config.serving.port if port is None else port)
    address = f"http://{bound.getsockname()[0]}:{bound.getsockname()[1]}"
    instruments = Instruments()
    with contextlib.ExitStack() as stack:
        stack.enter_context(bound)
        # The probes of a pod are answered until the real server does; loading takes longer than they wait.
        probes = stack.enter_context(contextlib.ExitStack())
        if waits:
            probes.enter_context(alive(bound))
            poll = config.serving.fleet.poll_seconds
            releases = awaited(lambda: champions(config, stores, twins), poll)
        stack.enter_context(quiet_arguments())
        recorder = stack.enter_context(recording(config, instruments))
        watch = Watch(config, stores.warehouse, instruments)
        # The recorder is the last: what it cannot keep is not answered, but watched all the same.
        observers = (watch, recorder) if recorder else (watch,)
        access = Access(keys, instruments, recorder.spool if recorder else None)
        with opened(config, stores, releases, observers, instruments) as fronts:
            looks = {f"the traffic of twin '{name}'": front.manager.look for name, front in fronts.items()}
            looks |= {"the API keys": keys.refresh, "the token budgets": access.look}
            watcher = Watcher(looks, config.serving.fleet.poll_seconds)
            watcher.start()
            watch.start()
            probes.close()
            try:
                _start(config, bound, fronts, instruments, observers, access, recorder, address, stopping)
            finally:
                watcher.stop()
                watch.stop()


def _start(
    config: Config,
    bound: Any,
    fronts: Mapping[str, "Front"],
    instruments: Instruments,
    observers: Sequence[Observer],
    access: Access,
    recorder: Recorder | None,
    address: str,
    stopping: Stopping,
) -> None:
    """Start KServe's server with our routes; returns after SIGTERM or Ctrl-C."""
    from kserve import ModelServer, model_server

    from components.serving.llm.front import LlmFront
    from components.serving.models import Models
    from components.serving.openai.routes import router
    from components.serving.recording.feedback import router as feedback_router
    from components.serving.rest_server import Surroundings, TwinRestServer

    chats = {name: front for name, front in fronts.items() if isinstance(front, LlmFront)}
    model_server.app.include_router(router(chats, config.serving))
    if recorder:
        known = next(iter(fronts.values())).manager.warehouse
        model_server.app.include_router(feedback_router(recorder, frozenset(fronts), known))
    rooms = {name: front.manager.require_room for name, front in fronts.items()}
    # ModelServer offers no other way to choose it.
    model_server.RESTServer = partial(
        TwinRestServer, Surroundings(bound, instruments, access, config.serving, observers, rooms, stopping)
    )
    # KServe's handler would only work once the server runs, and it is about several workers and gRPC.
    ModelServer.register_signal_handler = lambda _: None
    server = ModelServer(
        http_port=bound.getsockname()[1],
        registered_models=Models(),
        enable_grpc=False,
        enable_latency_logging=False,
        # What was accepted has its whole deadline; who cannot wait asks a second time.
        grace_period=math.ceil(config.serving.deadline_seconds),
    )
    for name in ("kserve", "kserve.trace", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in fronts:
        path = "/openai/v1/chat/completions" if name in chats else f"/v1/models/{name}:predict"
        log.info("twin '%s' at %s%s", name, address, path)
    stopping.loaded()
    with _frozen():
        server.start(list(fronts.values()))


@contextlib.contextmanager
def _frozen() -> Iterator[None]:
    """Keep what was loaded from the garbage collector.

    The libraries' half a million objects stay. Looking through them again would stop every answer for 40 ms,
    about once in fifty batches.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()  # or they outlive the interpreter's end, and their libraries complain
