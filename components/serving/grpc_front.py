"""KServe's V2 protocol over gRPC, behind the same guard as HTTP.

A call is handed to the guard as if it were a request, so keys, deadline, metrics, access log, observers and
errors are the same; the error's HTTP status becomes a gRPC status.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import orjson

from components.serving.guard import App, Guard, Message, Receive, Scope, Send
from components.serving.rest import PortError
from components.shared.config.serving import Serving

log = logging.getLogger("twinstack.serving")

#: Makes a guard around an app.
Guarding = Callable[[App], Guard]

SERVICE = "/grpc/inference.GRPCInferenceService"

OK = 200

#: HTTP status to gRPC status; what is not here is an error of ours.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


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

    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            ("grpc.so_reuseport", 0),
        ]
    )
    service.add_GRPCInferenceServiceServicer_to_server(_servicer(data_plane, guarding), server)
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


def _servicer(data_plane: Any, guarding: Guarding) -> Any:
    from kserve import InferRequest, InferResponse
    from kserve.errors import InvalidInput
    from kserve.protocol.grpc.servicer import InferenceServicer

    class Servicer(InferenceServicer):  # type: ignore[misc]
        """KServe's servicer with its calls to models behind the guard."""

        def __init__(self) -> None:
            super().__init__(data_plane, None)

        async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
            """Predict."""

            async def call() -> Any:
                try:
                    self.validate_grpc_request(request)
                    asked = InferRequest.from_grpc(request)
                    for tensor in asked.inputs if request.raw_input_contents else ():
                        tensor.data = tensor.as_numpy().reshape(-1).tolist()
                except InvalidInput:
                    raise
                except Exception as error:  # tensors are parsed without checks
                    raise InvalidInput("no V2 request") from error
                found, _ = await data_plane.infer(request=asked, model_name=request.model_name)
                assert isinstance(found, InferResponse)
                return found.to_grpc()

            return await _guarded(f"{SERVICE}/ModelInfer", context, call, guarding)

        async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
            """Name and extensions of the server."""

            async def call() -> Any:
                return await InferenceServicer.ServerMetadata(self, request, context)

            return await _guarded(f"{SERVICE}/ServerMetadata", context, call, guarding)

        async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
            """Inputs and outputs of a model."""

            async def call() -> Any:
                return await InferenceServicer.ModelMetadata(self, request, context)

            return await _guarded(f"{SERVICE}/ModelMetadata", context, call, guarding)

        async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802
            """Nobody loads models from outside."""
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this service does not do that")

        async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802
            """Nobody unloads models from outside."""
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this service does not do that")

    return Servicer()


async def _guarded(path: str, context: Any, call: Callable[[], Awaitable[Any]], guarding: Guarding) -> Any:
    """The answer of a call that the guard let through; otherwise its error ends the call."""
    sent: list[Message] = []
    answer: Any = None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal answer
        answer = await call()
        await send({"type": "http.response.start", "status": OK, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    words = context.invocation_metadata() or ()
    headers = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in words]
    await guarding(app)({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    begin, end = sent[0], sent[-1]
    trailing = tuple(
        (name.decode(), value.decode())
        for name, value in begin["headers"]
        if name.startswith(b"x-") or name.lower() == b"retry-after"
    )
    if begin["status"] != OK:
        message = orjson.loads(end["body"])["error"]["message"]
        code = CODES.get(begin["status"], grpc.StatusCode.INTERNAL)
        await context.abort(code, message, trailing_metadata=trailing)
    context.set_trailing_metadata(trailing)
    return answer
