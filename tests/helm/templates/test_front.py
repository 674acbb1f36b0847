"""The front of a twin."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import Object, ci, merged, one, render, twin


def front(values: Object, name: str = "twinstack-credit") -> Object:
    (found,) = [it for it in render(values, "front.yaml") if it["metadata"]["name"] == name]
    return found


def test_it_runs_our_server_for_one_twin() -> None:
    (container,) = front(ci("minimal"))["spec"]["predictor"]["containers"]
    assert container["name"] == "kserve-container"
    assert [*container["command"], *container["args"]] == [
        "python", "-m", "components.serving", "--config=/etc/twinstack/twinstack.yaml",
        "--host=0.0.0.0", "--port=8080", "--twin=credit",
    ]  # fmt: skip
    assert container["image"] == "twinstack/serve-python:0.1.0"


@pytest.mark.parametrize(("by", "scaled"), [("cpu", "external"), ("requests", "external"), ("none", "none")])
def test_kserve_scales_nothing_by_itself(by: str, scaled: str) -> None:
    made = front(twin(ci("minimal"), "credit", front={"scaling": {"by": by}}))
    assert made["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == scaled
    assert "autoScaling" not in made["spec"]["predictor"]


@pytest.mark.parametrize(("cpu", "threads"), [("4", "4"), ("1.5", "2"), ("500m", "1")])
def test_it_starts_as_many_threads_as_it_has_cores(cpu: str, threads: str) -> None:
    values = twin(ci("minimal"), "credit", front={"resources": {"limits": {"cpu": cpu}}})
    (container,) = front(values)["spec"]["predictor"]["containers"]
    assert {"name": "OMP_NUM_THREADS", "value": threads} in container["env"]


def test_the_number_of_threads_can_be_given() -> None:
    values = merged(ci("minimal"), {"environment": {"OMP_NUM_THREADS": "1"}})
    (container,) = front(values)["spec"]["predictor"]["containers"]
    assert [it["value"] for it in container["env"] if it["name"] == "OMP_NUM_THREADS"] == ["1"]


def test_startup_has_the_seconds_that_the_values_give_it() -> None:
    values = twin(ci("minimal"), "credit", front={"startupSeconds": 601})
    probe = front(values)["spec"]["predictor"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 601


def test_a_changed_configuration_starts_new_pods() -> None:
    def checksum(values: Object) -> str:
        return str(front(values)["spec"]["predictor"]["annotations"]["checksum/config"])

    changed = merged(ci("minimal"), {"config": {"serving": {"max_instances": 5}}})
    assert checksum(ci("minimal")) == checksum(ci("minimal"))
    assert checksum(ci("minimal")) != checksum(changed)


def test_knative_gets_only_what_it_takes_without_feature_flags() -> None:
    made = front(ci("air-gapped"), "twinstack-docs")
    predictor = made["spec"]["predictor"]
    refused = {"securityContext", "affinity", "tolerations", "nodeSelector", "topologySpreadConstraints"}
    assert not (refused | {"priorityClassName", "terminationGracePeriodSeconds"}) & set(predictor)
    assert "lifecycle" not in predictor["containers"][0]
    assert predictor["scaleMetric"] == "concurrency"
    assert predictor["minReplicas"] == 0
    assert made["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    flags = front(ci("air-gapped", config={"cluster": {"knative_pod_fields": True}}), "twinstack-docs")
    assert flags["spec"]["predictor"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_knative_scales_on_cpu_only_by_the_class_without_which_kserve_refuses_it() -> None:
    """KServe's webhook takes `cpu` with this class, and without it `concurrency` and `rps` only."""
    key = "autoscaling.knative.dev/class"
    knative = {"config": {"cluster": {"deployment_mode": "Knative"}}}
    plain = front(merged(twin(ci("minimal"), "credit", front={"scaling": {"by": ""}}), knative))
    assert plain["spec"]["predictor"]["scaleMetric"] == "concurrency"
    assert key not in plain["metadata"]["annotations"]
    made = front(merged(twin(ci("minimal"), "credit", front={"scaling": {"by": "cpu"}}), knative))
    assert made["spec"]["predictor"]["scaleMetric"] == "cpu"
    assert made["metadata"]["annotations"][key] == "hpa.autoscaling.knative.dev"


def test_knative_lets_pods_go_only_after_the_time_that_the_values_say() -> None:
    key = "autoscaling.knative.dev/scale-down-delay"
    values = twin(ci("air-gapped"), "docs", front={"scaling": {"scaleDownSeconds": 420}})
    assert front(values, "twinstack-docs")["metadata"]["annotations"][key] == "420s"
    pinned = one(render(values, "predictors.yaml"), "InferenceService", "twinstack-docs-pinned")
    assert pinned["metadata"]["annotations"][key] == "600s"
    # In mode Standard the chart's own autoscaler does.
    assert key not in front(ci("minimal"))["metadata"]["annotations"]


@pytest.mark.parametrize(
    "values",
    [
        {"environment": {"PYTHONPATH": "/x"}},
        {"secrets": [{"name": "a", "for": ["front"], "env": {"PYTHONPATH": "key"}}]},
    ],
)
def test_a_variable_that_kserve_refuses_is_refused_here(values: Object) -> None:
    with pytest.raises(HelmError, match="KServe refuses PYTHONPATH"):
        render(merged(ci("minimal"), values))


def test_zero_fronts_need_knative() -> None:
    with pytest.raises(HelmError, match="needs mode Knative"):
        render(twin(ci("minimal"), "credit", front={"scaling": {"minReplicas": 0}}))


@pytest.mark.parametrize("by", ["cpu", "none"])
def test_zero_fronts_need_requests_that_wake_the_first(by: str) -> None:
    with pytest.raises(HelmError, match="0 needs scaling by requests"):
        render(twin(ci("air-gapped"), "docs", front={"scaling": {"by": by, "minReplicas": 0}}))


def test_a_value_of_a_twin_wins_even_where_it_is_false_or_zero() -> None:
    values = ci("minimal", twinDefaults={"traffic": {"public": True}})
    values = twin(values, "credit", traffic={"public": False})
    assert front(values)["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert render(twin(ci("minimal"), "credit", front={"enabled": False}), "front.yaml") == []


def test_a_long_name_leaves_kserve_room_and_stays_its_own() -> None:
    names = set()
    for suffix in ("a", "b"):
        long = f"a{'-very' * 7}-{suffix}"
        values = ci("minimal")
        values["config"]["twins"] = {long: values["config"]["twins"]["credit"]}
        values["twins"] = [{"name": long, "kind": "classic"}]
        (made,) = render(values, "front.yaml", release="a-release-with-a-long-name")
        names.add(made["metadata"]["name"])
    assert len(names) == 2
    assert all(len(f"{name}-predictor-00001") <= 63 for name in names)


def test_environment_and_certificates_reach_the_container() -> None:
    made = front(ci("air-gapped"), "twinstack-docs")
    (container,) = made["spec"]["predictor"]["containers"]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert environment["SSL_CERT_FILE"] == "/etc/twinstack-ca/ca.crt"
    assert environment["HF_HUB_OFFLINE"] == "1"
