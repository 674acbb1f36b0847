"""Large models behind KServe's scheduler."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import Object, ci, merged, one, render, twin


def support(values: Object) -> Object:
    made = render(values, "llm-inference-services.yaml")
    spec: Object = one(made, "LLMInferenceService", "twinstack-support-pinned")["spec"]
    return spec


def test_model_adapters_and_parallelism_are_fields() -> None:
    spec = support(ci("production-gpu"))
    assert spec["model"]["uri"] == "hf://Qwen/Qwen3-32B"
    assert spec["model"]["lora"]["adapters"] == [
        {"name": "support-tone", "uri": "s3://twinstack/adapters/support-tone"}
    ]
    assert spec["parallelism"] == {"tensor": 4}
    assert spec["template"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "4"


def test_it_scales_within_its_limit_or_not_at_all() -> None:
    assert support(ci("production-gpu"))["scaling"]["maxReplicas"] == 2
    fixed = support(twin(ci("production-gpu"), "support", predictor={"scaling": {"by": "none"}}))
    assert fixed["replicas"] == 1
    assert "scaling" not in fixed


def test_it_keeps_its_replicas_while_prometheus_is_away() -> None:
    keda = support(ci("production-gpu"))["scaling"]["keda"]
    assert keda["fallback"] == {"behavior": "currentReplicasIfHigher", "failureThreshold": 3, "replicas": 1}
    assert not {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "advanced"} & set(keda)


def test_a_long_name_leaves_room_for_what_kserve_and_keda_put_around_it() -> None:
    values = ci("production-gpu", fullnameOverride="a-release-of-24-letters")
    (made,) = render(values, "llm-inference-services.yaml")
    long = "a" * 40
    twins = values["config"]["twins"]
    twins[long] = twins.pop("support")
    values["twins"] = [{**it, "name": long} if it["name"] == "support" else it for it in values["twins"]]
    (longer,) = render(values, "llm-inference-services.yaml")
    names = [made["metadata"]["name"], longer["metadata"]["name"]]
    assert all(len(f"keda-hpa-{name}-kserve-keda") <= 63 for name in names)
    assert names[1] != names[0]


def test_knative_has_no_such_thing() -> None:
    values = merged(ci("production-gpu"), {"config": {"cluster": {"deployment_mode": "Knative"}}})
    with pytest.raises(HelmError, match="LLMInferenceService has no mode Knative"):
        render(values)


def test_arguments_are_added_to_those_of_kserves_template() -> None:
    """A list of `args` would replace the template's, and with it the model's name."""
    values = twin(ci("production-gpu"), "support", predictor={"args": ["--max-model-len=8192", "--seed=1"]})
    (container,) = support(values)["template"]["containers"]
    assert "args" not in container
    (given,) = [it["value"] for it in container["env"] if it["name"] == "VLLM_ADDITIONAL_ARGS"]
    assert given == "--tensor-parallel-size=4 --max-model-len=8192 --seed=1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"args": ["--chat-template=a b"]}, "write it as one word"),
        ({"args": ["--x=$(id)"]}, "write it as one word"),
        ({"scaling": {"minReplicas": 0}}, "keeps one pod at the least"),
        ({"scaling": {"by": "cpu"}}, "scales by requests, or not at all"),
    ],
)
def test_what_kserve_would_not_take_as_it_is_meant_is_refused(change: Object, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        render(twin(ci("production-gpu"), "support", predictor=change))


def test_weights_have_the_seconds_that_the_values_give_them_and_the_rest_is_kserves() -> None:
    values = twin(ci("production-gpu"), "support", predictor={"startupSeconds": 1801})
    (made,) = render(values, "llm-inference-services.yaml")
    (container,) = made["spec"]["template"]["containers"]
    assert container["startupProbe"] == {"periodSeconds": 10, "failureThreshold": 181}


def test_it_scales_on_the_queue_by_the_name_that_kserve_gives_the_metric() -> None:
    (made,) = render(ci("production-gpu"), "llm-inference-services.yaml")
    queries = [one["metadata"]["query"] for one in made["spec"]["scaling"]["keda"]["triggers"]]
    assert queries[-1].startswith("sum(kserve_vllm:num_requests_waiting{")


def test_the_container_that_fetches_the_model_passes_pod_security_too() -> None:
    template = support(ci("production-gpu"))["template"]
    (fetching,) = template["initContainers"]
    assert fetching["name"] == "storage-initializer"
    (model,) = template["containers"]
    context = {
        key: value for key, value in model["securityContext"].items() if key != "readOnlyRootFilesystem"
    }
    assert fetching["securityContext"] == context
    # It runs before the model, so what it may take costs nothing more.
    assert fetching["resources"]["limits"]["memory"] == model["resources"]["limits"]["memory"]


def test_its_pods_spread_by_the_labels_that_they_carry() -> None:
    spec = support(ci("production-gpu"))
    (spread,) = spec["template"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    assert spread["labelSelector"]["matchLabels"].items() <= spec["labels"].items()
    alone = ci("production-gpu", pods={"spread": {"enabled": False}})
    assert "topologySpreadConstraints" not in support(alone)["template"]
