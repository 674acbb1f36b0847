"""Applying, waiting and cleaning up, against the stand-in for the API server."""

from typing import Literal

import pytest

from components.adapters.kubernetes.api import INFERENCE_SERVICES, Api
from components.adapters.kubernetes.deployer import predictor_uri
from components.shared.config.cluster import Cluster
from tests.components.adapters.kubernetes.conftest import release
from tests.components.adapters.kubernetes.deploying import (
    NAME,
    PROBLEMS,
    READY,
    SERVICES,
    WAITING,
    becomes_ready,
    deployer,
    has_pod,
    silent,
)
from tests.components.adapters.kubernetes.stand_in import Server


def test_a_ready_predictor_gives_its_address(api: Api, server: Server) -> None:
    url = "http://credit-m3-predictor.twinstack.svc.cluster.local/v1/models/credit-m3:predict"
    server.steps = [becomes_ready(address={"url": url})]
    told: list[str] = []
    uri = deployer(api).deploy(release(), told.append)
    assert uri == "http://credit-m3-predictor.twinstack.svc.cluster.local#credit-m3"
    assert (
        told[0] == f"InferenceService {NAME} is applied" and told[-1] == f"InferenceService {NAME} is ready"
    )


@pytest.mark.parametrize(
    ("mode", "port", "told", "expected"),
    [
        (
            "Standard",
            80,
            "https://credit-m3-predictor.twinstack.svc",
            "http://credit-m3-predictor.twinstack.svc",
        ),
        ("Standard", 8080, "http://credit-m3-predictor.a.svc", "http://credit-m3-predictor.a.svc:8080"),
        ("Standard", 8080, "http://credit-m3-predictor.a.svc:81", "http://credit-m3-predictor.a.svc:81"),
        ("Knative", 8080, "https://credit-m3.twinstack.svc", "https://credit-m3.twinstack.svc"),
    ],
    ids=["the scheme of a gateway", "headless", "a port that is told", "Knative"],
)
def test_the_address_is_that_of_the_service_whatever_the_gateway_speaks(
    mode: Literal["Standard", "Knative"], port: int, told: str, expected: str
) -> None:
    found = predictor_uri(
        release(), {"status": {"address": {"url": told}}}, Cluster(deployment_mode=mode, service_port=port)
    )
    assert found == f"{expected}#credit-m3"


def test_an_llm_answers_the_openai_protocol_under_the_name_of_its_adapter(api: Api, server: Server) -> None:
    server.steps = [becomes_ready("docs-m3")]
    uri = deployer(api).deploy(release("llm"), silent)
    assert uri == "http://docs-m3-predictor.twinstack.svc.cluster.local/openai/v1#docs-m3"


def test_doing_it_again_changes_nothing_and_waits_for_nothing(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    first = deployer(api).deploy(release(), silent)
    generation = server.get(SERVICES, NAME)["metadata"]["generation"]
    assert deployer(api).deploy(release(), silent) == first
    assert server.get(SERVICES, NAME)["metadata"]["generation"] == generation == 1


def test_a_patched_service_counts_as_ready_only_when_the_patch_was_seen(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    server.steps = [lambda _: None, becomes_ready()]
    told: list[str] = []
    deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"}).deploy(release(), told.append)
    assert server.get(SERVICES, NAME)["metadata"]["generation"] == 2
    assert len(told) == 3, "it waited, although service and pod of before were Ready all the time"


def test_a_failing_pod_of_before_does_not_count_against_a_patch(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    has_pod(**PROBLEMS["crash loop"][0])(server)
    server.steps = [lambda _: None, becomes_ready()]
    patched = deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"})
    assert patched.deploy(release(), silent).endswith(f"#{NAME}")
    assert not server.steps, "it waited for the patched service, past the failing pod"


def test_a_refusal_of_what_it_was_before_is_watched_for_a_while(api: Api, server: Server) -> None:
    def unsupported(one: Server) -> None:
        one.status(SERVICES, NAME, modelStatus={"lastFailureInfo": {"reason": "NoSupportingRuntime"}})

    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    unsupported(server)
    server.steps = [becomes_ready()]
    patched = {"runtime": "other"}
    found = deployer(api, failing_seconds=60, classic=patched).deploy(release(), silent)
    assert found.endswith(f"#{NAME}")
    assert not server.steps


def test_a_half_ready_service_is_waited_for(api: Api, server: Server) -> None:
    def loading(one: Server) -> None:
        one.status(SERVICES, NAME, conditions=READY, modelStatus={"transitionStatus": "InProgress"})

    server.steps = [lambda one: one.status(SERVICES, NAME, conditions=WAITING), loading, becomes_ready()]
    told: list[str] = []
    deployer(api).deploy(release(), told.append)
    assert "no pod yet: predictor is starting" in told
    assert not server.steps


@pytest.mark.parametrize("word", ["drop", "gone"])
def test_a_watch_that_breaks_is_taken_up_again(api: Api, server: Server, word: str) -> None:
    server.steps = [lambda _: word, lambda _: word, becomes_ready()]
    deployer(api).deploy(release(), silent)
    assert not server.steps


def test_only_predictors_of_the_twin_that_the_stage_made_are_cleaned(api: Api, server: Server) -> None:
    for version in ("1", "2", "3"):
        server.steps = [becomes_ready(f"credit-m{version}")]
        deployer(api).deploy(release(version=version), silent)
    server.steps = [becomes_ready("docs-m3")]
    deployer(api).deploy(release("llm"), silent)
    helm = {"app.kubernetes.io/managed-by": "Helm", "twinstack.io/twin": "credit"}
    server.put(SERVICES, {"kind": "InferenceService", "metadata": {"name": "pinned", "labels": helm}})
    server.page = 1
    assert deployer(api).clean("credit", {"3"}) == ["credit-m1", "credit-m2"]
    assert server.names(SERVICES) == ["credit-m3", "docs-m3", "pinned"]


def test_a_service_made_anew_meanwhile_is_not_deleted(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    old = server.get(SERVICES, NAME)
    server.put(SERVICES, {**old, "metadata": {**old["metadata"], "uid": "newer"}})
    api.delete(INFERENCE_SERVICES, {"metadata": {"name": NAME, "uid": "older"}})
    assert server.names(SERVICES) == [NAME]
