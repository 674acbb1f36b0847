"""KEDA: requests in flight and waiting, and vLLM's own queue."""

import pytest

from tests.helm.rendering import Object, ci, one, render

OBJECTS = render(ci("production-gpu"), "scaled-objects.yaml")


def queries(name: str) -> list[str]:
    made = one(OBJECTS, "ScaledObject", name)
    return [it["metadata"]["query"] for it in made["spec"]["triggers"]]


def test_a_front_scales_on_what_it_has_in_hand_and_what_waits() -> None:
    flying, waiting = queries("twinstack-docs")
    pods = 'namespace="twinstack",pod=~"twinstack-docs-predictor-.+"'
    assert flying == f'sum(twinstack_requests_in_flight{{{pods},route!~"health|metrics"}})'
    assert waiting == f"sum(twinstack_queue_depth{{{pods}}})"


def test_a_predictor_at_zero_is_woken_by_its_front() -> None:
    made = one(OBJECTS, "ScaledObject", "twinstack-docs-pinned")
    assert made["spec"]["minReplicaCount"] == 0
    waking, flying, waiting = queries("twinstack-docs-pinned")
    assert "increase(twinstack_request_total{" in waking and waking.endswith("> bool 0")
    assert flying == queries("twinstack-docs")[0]
    assert waiting.startswith("sum(vllm:num_requests_waiting{")


@pytest.mark.parametrize("made", OBJECTS, ids=lambda made: made["metadata"]["name"])
def test_pods_go_slowly_and_stay_while_prometheus_is_away(made: Object) -> None:
    down = made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] >= 300
    assert made["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"
    assert made["spec"]["fallback"]["replicas"] >= 1


def test_knative_scales_by_itself() -> None:
    assert render(ci("air-gapped"), "scaled-objects.yaml") == []
