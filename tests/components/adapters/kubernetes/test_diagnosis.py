"""Pods that fail, have no node or no quota: told by their reason, and the candidate is taken back."""

from typing import Any

import pytest

from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.following import NotReadyError
from tests.components.adapters.kubernetes.conftest import release
from tests.components.adapters.kubernetes.deploying import (
    NAME,
    PROBLEMS,
    SERVICES,
    becomes_ready,
    deployer,
    has_pod,
    silent,
    waiting,
)
from tests.components.adapters.kubernetes.stand_in import Server


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
