"""Calls to a front over gRPC, by KServe's client and without it."""

import asyncio
from typing import Any

import grpc
import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest


def tensors(*rows: dict[str, Any]) -> list[InferInput]:
    """One tensor a column, as plain contents."""
    kinds = {str: "BYTES", int: "INT64"}
    made = []
    for name, value in rows[0].items():
        tensor = InferInput(name, [len(rows)], kinds[type(value)])
        tensor.set_data_from_numpy(
            np.array([row[name] for row in rows], dtype=object if isinstance(value, str) else np.int64),
            binary_data=False,
        )
        made.append(tensor)
    return made


def over_grpc(address: str, inputs: list[InferInput], model: str = "credit", **more: Any) -> Any:
    async def main() -> Any:
        async with InferenceGRPCClient(address, **more) as client:
            return await client.infer(InferRequest(model, inputs), timeout=30)

    return asyncio.run(main())


def call(address: str, method: str, request: Any, **more: Any) -> Any:
    from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

    with grpc.insecure_channel(address) as channel:
        return getattr(GRPCInferenceServiceStub(channel), method)(request, timeout=30, **more)
