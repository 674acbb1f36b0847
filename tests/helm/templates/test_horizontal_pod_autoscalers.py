"""Scaling on CPU, by objects of the chart's own."""

from tests.helm.rendering import ci, render, twin


def test_a_classic_twin_scales_on_cpu_and_goes_down_slowly() -> None:
    scaling = {"by": "", "minReplicas": 2, "maxReplicas": 7, "cpuPercent": 55, "scaleDownSeconds": 420}
    values = twin(ci("minimal"), "credit", front={"scaling": scaling})
    (made,) = render(values, "horizontal-pod-autoscalers.yaml")
    spec = made["spec"]
    assert spec["scaleTargetRef"]["name"] == "twinstack-credit-predictor"
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 7)
    (metric,) = spec["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 55}}
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 420


def test_a_pinned_predictor_has_one_of_its_own() -> None:
    made = render(ci("production-gpu"), "horizontal-pod-autoscalers.yaml")
    assert [one["metadata"]["name"] for one in made] == ["twinstack-credit", "twinstack-credit-pinned"]


def test_a_change_to_requests_is_not_refused_because_this_one_is_still_there() -> None:
    (made, *_) = render(ci("production-gpu"), "horizontal-pod-autoscalers.yaml")
    assert made["metadata"]["annotations"] == {"validations.keda.sh/hpa-ownership": "false"}


def test_what_scales_otherwise_has_none() -> None:
    values = twin(ci("minimal"), "credit", front={"scaling": {"by": "none"}})
    assert render(values, "horizontal-pod-autoscalers.yaml") == []
    assert render(ci("air-gapped"), "horizontal-pod-autoscalers.yaml") == []
