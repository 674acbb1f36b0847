"""KServe's servicer of gRPC with its calls to models behind the guard.

Importing it imports KServe, which takes this process's arguments for its own: see `rest.quiet_arguments`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from kserve import InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.protocol.grpc.servicer import InferenceServicer

from components.serving.grpc_guarding import Guarding, guarded

SERVICE = "/grpc/inference.GRPCInferenceService"


class GuardedServicer(InferenceServicer):  # type: ignore[misc]
    """Predictions and metadata; loading and unloading models is for nobody.

    Args:
        data_plane: KServe's, which knows the models.
        guarding: Makes the guard of a call.
    """

    def __init__(self, data_plane: Any, guarding: Guarding) -> None:
        super().__init__(data_plane, None)
        self._guarding = guarding

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Predict."""

        async def call() -> Any:
            found, _ = await self._data_plane.infer(
                request=self._read(request), model_name=request.model_name
            )
            assert isinstance(found, InferResponse)
            return found.to_grpc()

        return await self._behind("ModelInfer", context, call)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Name and extensions of the server."""
        answer = super().ServerMetadata
        return await self._behind("ServerMetadata", context, lambda: answer(request, context))

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Inputs and outputs of a model."""
        answer = super().ModelMetadata
        return await self._behind("ModelMetadata", context, lambda: answer(request, context))

    async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Nobody loads models from outside."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this service does not do that")

    async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Nobody unloads models from outside."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this service does not do that")

    async def _behind(self, name: str, context: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        return await guarded(f"{SERVICE}/{name}", context, call, self._guarding)

    def _read(self, request: Any) -> InferRequest:
        """The request with its tensors as lists.

        Raises:
            InvalidInput: It is no V2 request.
        """
        try:
            self.validate_grpc_request(request)
            asked = InferRequest.from_grpc(request)
            for tensor in asked.inputs if request.raw_input_contents else ():
                tensor.data = tensor.as_numpy().reshape(-1).tolist()
        except InvalidInput:
            raise
        except Exception as error:  # tensors are parsed without checks
            raise InvalidInput("no V2 request") from error
        return asked
