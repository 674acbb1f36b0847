"""API keys on the real server: who gets in, who does not, and that a changed file is read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import yaml
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from prometheus_client import CollectorRegistry

from components.runtime.keys import Keys, require_safe
from components.runtime.rates import DAY
from components.serving.exchange import Exchange
from components.serving.limits.access import Access
from components.shared.config import Config, load
from components.shared.errors import ConfigError
from components.shared.identity import Key, Keyring, hash_of, new_key
from components.shared.metrics.instruments import Instruments
from tests.components.serving.conftest import Running, start, stop
from tests.components.serving.grpc_calls import call
from tests.conftest import free_port, until

V1 = "/v1/models/credit:predict"
BODY = {"instances": [{"applicant_id": "A0001"}]}

KEYS = {name: new_key() for name in ("whole", "slow", "slow-grpc", "viewer", "elsewhere", "later")}


@dataclass(frozen=True)
class Keyed:
    """A server over twin credit that wants keys."""

    running: Running
    client: httpx.Client
    path: Any
    grpc: str

    def predict(self, key: str | None, **headers: str) -> httpx.Response:
        if key:
            headers["authorization"] = f"Bearer {key}"
        return self.client.post(V1, json=BODY, headers=headers)

    def call(self, key: str | None, method: str = "ModelInfer", request: Any = None) -> Any:
        """A call over gRPC; the key goes where clients of gRPC put it."""
        found = (("authorization", f"Bearer {key}"),) if key else ()
        return call(self.grpc, method, PREDICT if request is None else request, metadata=found)


TENSOR = pb.ModelInferRequest.InferInputTensor(name="applicant_id", shape=[1], datatype="BYTES")
TENSOR.contents.bytes_contents.append(b"A0001")
METADATA = pb.ModelMetadataRequest(name="credit")
PREDICT = pb.ModelInferRequest(model_name="credit", inputs=[TENSOR])


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "hash": hash_of(KEYS[name]), **more}


ENTRIES = [
    entry("whole"),
    entry("slow", requests_per_minute=1),
    entry("slow-grpc", requests_per_minute=1),
    entry("viewer", roles=["viewer"]),
    entry("elsewhere", twins=["docs"]),
]


@pytest.fixture(scope="module")
def keyed(released: Any) -> Iterator[Keyed]:
    folder, *_ = released
    path = folder / "keys.yaml"
    path.write_text(json.dumps(ENTRIES))
    values = yaml.safe_load((folder / "twinstack.yaml").read_text())
    port = free_port()
    values["serving"] = {"keys": {"file": "keys.yaml"}, "grpc_port": port}
    (folder / "keyed.yaml").write_text(yaml.safe_dump(values))
    running = start(folder, "--twin", "credit", "--config", "keyed.yaml")
    with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client:
        yield Keyed(running, client, path, f"127.0.0.1:{port}")
    assert stop(running) == 0, "".join(running.log)


def refused(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "request_id"}
    assert error["type"] == kind
    assert not any(key in answer.text for key in KEYS.values())


def test_a_key_lets_in(keyed: Keyed) -> None:
    assert keyed.predict(KEYS["whole"]).status_code == 200
    assert keyed.predict(None, **{"x-api-key": KEYS["whole"]}).status_code == 200


@pytest.mark.parametrize("key", [None, "nonsense", "", pytest.param(new_key(), id="a key of nobody")])
def test_without_a_key_of_ours_nobody_gets_in(keyed: Keyed, key: str | None) -> None:
    answer = keyed.predict(key)
    refused(answer, 401, "authentication_error")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_another_role_does_not_ask_twins(keyed: Keyed) -> None:
    refused(keyed.predict(KEYS["viewer"]), 403, "permission_error")


def test_too_many_requests_are_told_when_to_come_back(keyed: Keyed) -> None:
    assert keyed.predict(KEYS["slow"]).status_code == 200
    answer = keyed.predict(KEYS["slow"])
    refused(answer, 429, "rate_limit_error")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    "path", ["/v2/health/live", "/v2/health/ready", "/v2/models/credit/ready", "/metrics", "/"]
)
def test_health_and_metrics_need_no_key(keyed: Keyed, path: str) -> None:
    assert keyed.client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/openapi.json", "/docs", "/redoc", "/nope", "/v1/models", "/v1/models/credit", "/v2", "/v2/models",
        "/v2/models/credit", "/v2/models/a/b/c/ready", "/v1/models/credit/ready", "/openai/v1/models",
        "/v2/health/ready/x", "/metrics/", "/v2/repository/index",
    ],
)  # fmt: skip
def test_everything_else_needs_one(keyed: Keyed, path: str) -> None:
    refused(keyed.client.get(path), 401, "authentication_error")


def test_of_all_that_is_served_only_health_and_metrics_need_no_key(keyed: Keyed) -> None:
    served = keyed.client.get("/openapi.json", headers={"x-api-key": KEYS["whole"]}).json()["paths"]
    assert len(served) > 15
    free = set()
    for path, methods in served.items():
        for method in methods:
            answer = keyed.client.request(method, re.sub("{[^}]*}", "credit", path))
            if answer.status_code == 401:
                refused(answer, 401, "authentication_error")
            else:
                free.add(f"{method} {path}")
    ready = "/v2/models/{model_name}"
    versioned = f"{ready}/versions/{{model_version}}/ready"
    opened = ("/", "/metrics", "/v2/health/live", "/v2/health/ready", f"{ready}/ready", versioned)
    assert free <= {f"get {path}" for path in opened}


def refused_over_grpc(keyed: Keyed, key: str | None, **words: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as found:
        keyed.call(key, **words)
    assert not any(one in str(found.value) for one in KEYS.values())
    return found.value


def test_keys_roles_and_twins_hold_over_grpc(keyed: Keyed) -> None:
    assert keyed.call(KEYS["whole"]).model_name == "credit"
    codes = {
        None: grpc.StatusCode.UNAUTHENTICATED,
        "nonsense": grpc.StatusCode.UNAUTHENTICATED,
        KEYS["viewer"]: grpc.StatusCode.PERMISSION_DENIED,
        KEYS["elsewhere"]: grpc.StatusCode.PERMISSION_DENIED,
    }
    for key, code in codes.items():
        assert refused_over_grpc(keyed, key).code() == code
    refused(keyed.predict(KEYS["elsewhere"]), 403, "permission_error")


def test_a_key_for_other_twins_does_not_learn_which_there_are(keyed: Keyed) -> None:
    def get(path: str, name: str) -> httpx.Response:
        return keyed.client.get(path, headers={"x-api-key": KEYS[name]})

    for path, listed in (("/v1/models", "models"), ("/v2/models", "models"), ("/openai/v1/models", "data")):
        assert get(path, "elsewhere").json()[listed] == [], path
    assert get("/v2/models", "whole").json()["models"] == ["credit"]
    assert get("/v2/models/credit", "whole").json()["inputs"]
    for path in ("/v1/models/{}", "/v2/models/{}", "/openai/v1/models/{}"):
        for name in ("credit", "nonsense"):
            answer = get(path.format(name), "elsewhere")
            refused(answer, 403, "permission_error")
            assert answer.json()["error"]["message"].count("credit") == (name == "credit")
    code = refused_over_grpc(keyed, KEYS["elsewhere"], method="ModelMetadata", request=METADATA).code()
    assert code == grpc.StatusCode.PERMISSION_DENIED


def test_feedback_of_a_key_for_other_twins_finds_no_answer_of_them(keyed: Keyed) -> None:
    answered = keyed.predict(KEYS["whole"]).headers["x-request-id"]
    body = {"request_id": answered, "score": 1}
    found = {
        name: keyed.client.post("/v1/feedback", json=body, headers={"x-api-key": KEYS[name]})
        for name in ("whole", "elsewhere")
    }
    assert found["whole"].json()["model"] == "credit"
    refused(found["elsewhere"], 404, "not_found_error")
    assert "credit" not in found["elsewhere"].text


def test_rates_hold_over_grpc(keyed: Keyed) -> None:
    assert keyed.call(KEYS["slow-grpc"]).model_name == "credit"
    error = refused_over_grpc(keyed, KEYS["slow-grpc"])
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 1 <= int(dict(error.trailing_metadata())["retry-after"]) <= 60
    assert keyed.predict(KEYS["slow-grpc"]).status_code == 429, "one limit for both protocols"


def test_over_grpc_only_health_needs_no_key(keyed: Keyed) -> None:
    free = {
        "ServerLive": pb.ServerLiveRequest(),
        "ServerReady": pb.ServerReadyRequest(),
        "ModelReady": pb.ModelReadyRequest(name="credit"),
    }
    closed = {
        "ModelInfer": PREDICT,
        "ModelMetadata": METADATA,
        "ServerMetadata": pb.ServerMetadataRequest(),
    }
    for method, request in free.items():
        keyed.call(None, method, request)
    for method, request in closed.items():
        keyed.call(KEYS["whole"], method, request)
        code = refused_over_grpc(keyed, None, method=method, request=request).code()
        assert code == grpc.StatusCode.UNAUTHENTICATED, method
    gone = {"RepositoryModelLoad", "RepositoryModelUnload"}
    served = {one.name for one in pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods}
    assert served == free.keys() | closed.keys() | gone


def test_a_new_key_in_the_file_is_read_and_a_broken_file_changes_nothing(keyed: Keyed) -> None:
    assert keyed.predict(KEYS["later"]).status_code == 401
    keyed.path.write_text(json.dumps([*ENTRIES, entry("later")]))
    until(lambda: keyed.predict(KEYS["later"]).status_code == 200, 10, "the new key")
    keyed.path.write_text("- nonsense")
    until(lambda: any("stay as they were" in line for line in keyed.running.log), 10, "the broken file")
    assert keyed.predict(KEYS["later"]).status_code == 200


def test_the_share_of_its_tokens_that_a_key_has_spent_is_shown_until_midnight(corpus: Path) -> None:
    (corpus / "budgets.yaml").write_text(json.dumps([entry("whole"), entry("slow", tokens_per_day=1_000)]))
    with (corpus / "twinstack.yaml").open("a") as file:
        file.write("serving: {keys: {file: budgets.yaml}}\n")
    shown, now = CollectorRegistry(), [0.0]
    access = Access(Keys(load(corpus / "twinstack.yaml")), Instruments(shown), wall=lambda: now[0])

    def ask(name: str, tokens: int) -> float | None:
        """Share that the slow key has spent, after a request of a key that takes so many tokens."""
        exchange = Exchange()
        access.admit(exchange, {b"x-api-key": KEYS[name].encode()})
        assert exchange.allowance is not None
        settle = exchange.allowance.reserve(2 * tokens)
        exchange.at_end(lambda: settle(tokens))
        exchange.end()
        return shown.get_sample_value("twinstack_token_budget_spent_ratio", {"key": "slow"})

    assert ask("whole", 500) is None
    assert ask("slow", 400) == pytest.approx(0.4)
    assert ask("slow", 100) == pytest.approx(0.5)
    share, told = ("twinstack_token_budget_spent_ratio", {"key": "slow"})
    access.look()
    assert shown.get_sample_value(share, told) == pytest.approx(0.5)
    now[0] = DAY + 1
    access.look()
    assert shown.get_sample_value(share, told) == 0, "without any request"
    assert ask("slow", 100) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("left", "calls"),
    [
        ([entry("whole")], False),
        ([entry("whole"), entry("slow")], True),
    ],
    ids=["the key is deleted", "its budget is taken away"],
)
def test_a_budget_that_is_gone_is_shown_as_unspent(
    corpus: Path, left: list[dict[str, Any]], calls: bool
) -> None:
    path = corpus / "budgets.yaml"
    path.write_text(json.dumps([entry("whole"), entry("slow", tokens_per_day=1_000)]))
    with (corpus / "twinstack.yaml").open("a") as file:
        file.write("serving: {keys: {file: budgets.yaml}}\n")
    shown = CollectorRegistry()
    keys = Keys(load(corpus / "twinstack.yaml"))
    access = Access(keys, Instruments(shown), wall=lambda: 0.0)

    def call(tokens: int) -> None:
        exchange = Exchange()
        access.admit(exchange, {b"x-api-key": KEYS["slow"].encode()})
        assert exchange.allowance is not None
        settle = exchange.allowance.reserve(tokens)
        exchange.at_end(lambda: settle(tokens))
        exchange.end()

    def share() -> float | None:
        return shown.get_sample_value("twinstack_token_budget_spent_ratio", {"key": "slow"})

    call(900)
    assert share() == pytest.approx(0.9)
    path.write_text(json.dumps(left))
    keys.refresh()
    if calls:
        call(900)
    access.look()
    assert share() == 0


def test_no_key_is_in_the_log(keyed: Keyed) -> None:
    log = "".join(keyed.running.log)
    assert not any(key in log for key in KEYS.values())


def refused_to_listen(config: Config, keys: Keyring, *hosts: str) -> list[str]:
    """Those of the hosts that a server with these keys will not listen on."""
    found = []
    for host in hosts:
        try:
            require_safe(host, keys, config)
        except ConfigError as error:
            assert "twin keys new" in str(error)
            found.append(host)
    return found


def test_without_keys_a_server_listens_on_loopback_only(released: Any) -> None:
    _, config, *_ = released
    near, far = (
        ["127.0.0.1", "127.8.8.8", "::1", "localhost"],
        ["0.0.0.0", "::", "192.0.2.1", "example.org", ""],
    )
    assert refused_to_listen(config, Keyring(), *near, *far) == far
    assert not refused_to_listen(config, Keyring([Key.model_validate(entry("whole"))]), *far)
    serving = config.serving.model_copy(update={"allow_anonymous": True})
    assert not refused_to_listen(config.model_copy(update={"serving": serving}), Keyring(), *far)
