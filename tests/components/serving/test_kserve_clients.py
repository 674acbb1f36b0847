"""Twin credit for KServe's own clients, over REST and gRPC."""

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.components.serving.conftest import start, stop
from tests.components.serving.grpc_calls import call, over_grpc, tensors
from tests.conftest import free_port

Row = Callable[[int], dict[str, Any]]


@pytest.fixture(scope="module")
def both(released: Any) -> Iterator[tuple[str, str]]:
    """Addresses of one server: HTTP and gRPC."""
    folder, *_ = released
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINSTACK_SERVING__GRPC_PORT", str(port))
        running = start(folder, "--twin", "credit")
    yield running.url, f"127.0.0.1:{port}"
    assert stop(running) == 0, "".join(running.log)
    assert os.environ.get("TWINSTACK_SERVING__GRPC_PORT") is None


def over_rest(url: str, body: Any) -> Any:
    async def main() -> Any:
        config = RESTConfig(protocol="v2" if isinstance(body, InferRequest) else "v1", timeout=30)
        async with InferenceRESTClient(config) as client:
            return await client.infer(url, body, model_name="credit")

    return asyncio.run(main())


def rows_of(answer: Any) -> list[dict[str, Any]]:
    columns = {one.name: one.as_numpy().tolist() for one in answer.outputs}
    plain = {
        name: [one.decode() if isinstance(one, bytes) else one for one in values]
        for name, values in columns.items()
    }
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


def test_both_clients_and_protocols_say_the_same(both: tuple[str, str], row: Row) -> None:
    url, address = both
    ids = [{"applicant_id": f"A{number:04d}"} for number in (1, 2, 3)]
    for rows in (ids, [row(1), row(2), row(3)]):
        v1 = over_rest(url, {"instances": rows})["predictions"]
        assert len(v1) == 3
        assert rows_of(over_rest(url, InferRequest("credit", tensors(*rows)))) == v1
        assert rows_of(over_grpc(address, tensors(*rows))) == v1


def test_raw_contents_are_read_too(both: tuple[str, str]) -> None:
    tensor = InferInput("applicant_id", [2], "BYTES")
    tensor.set_data_from_numpy(np.array(["A0001", "A0002"], dtype=object), binary_data=True)
    assert len(rows_of(over_grpc(both[1], [tensor]))) == 2


def test_readiness_over_grpc(both: tuple[str, str]) -> None:
    async def main() -> tuple[bool, bool, bool]:
        async with InferenceGRPCClient(both[1]) as client:
            model = await client.is_model_ready("credit")
            return await client.is_server_live(), await client.is_server_ready(), model

    assert asyncio.run(main()) == (True, True, True)


@pytest.mark.parametrize(
    ("inputs", "model", "code", "text"),
    [
        ([{"applicant_id": "A9999"}], "credit", grpc.StatusCode.NOT_FOUND, "A9999"),
        ([{"applicant_id": "A0001"}], "nobody", grpc.StatusCode.NOT_FOUND, "nobody"),
        ([{"purpose": "x"}], "credit", grpc.StatusCode.INVALID_ARGUMENT, "lacks"),
        ([{"nonsense": "x"}], "credit", grpc.StatusCode.INVALID_ARGUMENT, "nonsense"),
        ([], "credit", grpc.StatusCode.INVALID_ARGUMENT, "length"),
    ],
)
def test_errors_have_the_status_of_grpc(
    both: tuple[str, str], inputs: list[dict[str, Any]], model: str, code: grpc.StatusCode, text: str
) -> None:
    made = tensors(*inputs) if inputs else []
    with pytest.raises(grpc.RpcError) as found:
        over_grpc(both[1], made, model)
    assert found.value.code() == code
    assert text in found.value.details()
    assert "Traceback" not in found.value.details()
    assert dict(found.value.trailing_metadata())["x-request-id"]


def test_hostile_tensors_are_refused_and_the_server_lives_on(both: tuple[str, str]) -> None:
    def tensor(**fields: Any) -> pb.ModelInferRequest.InferInputTensor:
        return pb.ModelInferRequest.InferInputTensor(**{"name": "applicant_id", "shape": [1], **fields})

    for inputs, raw in (
        ([tensor(datatype="EVIL")], [b"x"]),
        ([tensor(datatype="BYTES")], [b"\xff\xff\xff\xff"]),
        ([tensor(datatype="BYTES")], [b"x", b"y"]),
        ([tensor(datatype="BYTES", shape=[-1])], [b""]),
        ([tensor(datatype="FP64", shape=[1 << 60])], [b"12345678"]),
        ([tensor(datatype="BYTES"), tensor(datatype="BYTES")], []),
    ):
        request = pb.ModelInferRequest(model_name="credit", inputs=inputs, raw_input_contents=raw)
        with pytest.raises(grpc.RpcError) as found:
            call(both[1], "ModelInfer", request)
        assert found.value.code() == grpc.StatusCode.INVALID_ARGUMENT, (inputs, found.value)
    for method, asked in (
        ("RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name="credit")),
        ("RepositoryModelLoad", pb.RepositoryModelLoadRequest(model_name="credit")),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call(both[1], method, asked)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert call(both[1], "ModelMetadata", pb.ModelMetadataRequest(name="credit")).name == "credit"


def test_limits_of_http_hold_for_grpc(both: tuple[str, str]) -> None:
    url, address = both
    large = pb.ModelInferRequest(model_name="credit", raw_input_contents=[b"x" * 1_100_000])
    with pytest.raises(grpc.RpcError) as found:
        call(address, "ModelInfer", large)
    assert found.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    many = tensors(*({"applicant_id": "A0001"} for _ in range(1_001)))
    with pytest.raises(grpc.RpcError, match="1001 instances"):
        over_grpc(address, many)
    metrics = httpx.get(f"{url}/metrics").text
    counted = [line for line in metrics.splitlines() if 'route="infer_grpc"' in line and "_total" in line]
    assert any('code="413"' in line for line in counted), counted
    assert any('code="200"' in line and 'twin="credit"' in line for line in counted), counted
