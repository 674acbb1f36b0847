"""KServe's V2 protocol over gRPC, behind the same guard as HTTP."""

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc

from components.serving.grpc_guarding import Guarding
from components.serving.rest import PortError
from components.shared.config.serving import Serving

log = logging.getLogger("twinstack.serving")


@contextlib.asynccontextmanager
async def listening(data_plane: Any, host: str, settings: Serving, guarding: Guarding) -> AsyncIterator[None]:
    """Serve gRPC while the block runs; not at all where the port is 0.

    Args:
        data_plane: KServe's, which knows the models.
        host: Address to listen on.
        settings: Port, size of messages, and the deadline that calls have at the end, too.
        guarding: Makes the guard of a call.

    Raises:
        PortError: The port is in use.
    """
    port = settings.grpc_port
    if not port:
        yield
        return
    from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

    from components.serving.grpc_servicer import GuardedServicer

    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            ("grpc.so_reuseport", 0),
        ]
    )
    service.add_GRPCInferenceServiceServicer_to_server(GuardedServicer(data_plane, guarding), server)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise PortError(
            f"cannot listen for gRPC on {address}", where="serving.grpc_port", remedy="choose another port"
        ) from error
    await server.start()
    log.info("serving gRPC on %s", address)
    try:
        yield
    finally:
        await server.stop(grace=settings.deadline_seconds)
