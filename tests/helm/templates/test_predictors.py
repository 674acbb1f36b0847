"""Predictors that the chart pins."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import Object, ci, one, render, twin

PRODUCTION = "production-gpu"


def docs(**over: object) -> Object:
    values = twin(ci(PRODUCTION), "docs", predictor=over)
    return one(render(values, "predictors.yaml"), "InferenceService", "twinstack-docs-pinned")


def test_none_is_pinned_unless_it_is_asked_for() -> None:
    assert render(ci("minimal"), "predictors.yaml") == []


def test_gpus_are_asked_for_and_shared_by_tensor_parallelism() -> None:
    model = docs()["spec"]["predictor"]["model"]
    assert model["resources"]["requests"]["nvidia.com/gpu"] == "2"
    assert model["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert "--tensor-parallel-size=2" in model["args"]
    volumes = {it["name"]: it for it in docs()["spec"]["predictor"]["volumes"]}
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}


def test_adapters_are_fetched_beside_the_model_and_named() -> None:
    predictor = docs()["spec"]["predictor"]
    assert "storageUri" not in predictor["model"]
    assert [it["mountPath"] for it in predictor["storageUris"]] == [
        "/mnt/models/base",
        "/mnt/models/docs-tone",
    ]
    arguments = predictor["model"]["args"]
    assert arguments[arguments.index("--lora-modules") + 1] == "docs-tone=/mnt/models/docs-tone"


def test_an_adapter_on_a_claim_is_mounted_by_its_path_which_kserve_would_drop() -> None:
    adapters = [{"name": "tone", "uri": "s3://b/tone"}, {"name": "style", "uri": "pvc://weights/deep/style/"}]
    predictor = docs(adapters=adapters)["spec"]["predictor"]
    assert [it["mountPath"] for it in predictor["storageUris"]] == ["/mnt/models/base", "/mnt/models/tone"]
    mounts = {it["name"]: it for it in predictor["model"]["volumeMounts"]}
    claim = {"name": "claim-style", "mountPath": "/mnt/claims/style", "subPath": "deep/style"}
    assert mounts["claim-style"] == claim | {"readOnly": True}
    volumes = {it["name"]: it for it in predictor["volumes"]}
    assert volumes["claim-style"]["persistentVolumeClaim"] == {"claimName": "weights", "readOnly": True}
    assert set(mounts) == set(volumes)
    assert "style=/mnt/claims/style" in predictor["model"]["args"]
    # A whole claim has no path, and is no less a claim.
    whole = docs(storageUri="pvc://weights", adapters=adapters)["spec"]["predictor"]
    (base,) = [it for it in whole["model"]["volumeMounts"] if it["name"] == "claim-base"]
    assert base == {"name": "claim-base", "mountPath": "/mnt/claims/base", "readOnly": True}
    assert "--model_dir=/mnt/claims/base" in whole["model"]["args"]


@pytest.mark.parametrize("twin_name", ["docs", "credit"])
def test_monitors_find_it_by_a_declared_port(twin_name: str) -> None:
    """KServe's runtimes declare none, and a PodMonitor keeps only pods that do."""
    made = one(render(ci(PRODUCTION)), "InferenceService", f"twinstack-{twin_name}-pinned")
    monitor = one(render(ci(PRODUCTION)), "PodMonitor", "twinstack-predictor")
    (port,) = made["spec"]["predictor"]["model"]["ports"]
    assert port["containerPort"] == monitor["spec"]["podMetricsEndpoints"][0]["portNumber"]


def test_it_lands_on_the_pool() -> None:
    predictor = docs()["spec"]["predictor"]
    assert predictor["nodeSelector"] == {"karpenter.sh/nodepool": "twinstack-gpu"}
    assert predictor["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert predictor["affinity"]["podAntiAffinity"]


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [("docs", "InferenceService", "predictor"), ("support", "LLMInferenceService", "template")],
)
def test_a_runtime_class_is_named_where_the_default_one_gives_no_gpu(name: str, kind: str, part: str) -> None:
    for chosen in ("", "nvidia"):
        values = twin(ci(PRODUCTION), name, predictor={"runtimeClass": chosen})
        spec = one(render(values), kind, f"twinstack-{name}-pinned")["spec"][part]
        assert spec.get("runtimeClassName", "") == chosen


def test_its_pods_spread_and_are_asked_to_end_when_nothing_is_sent_to_them_any_more() -> None:
    predictor = docs()["spec"]["predictor"]
    (spread,) = predictor["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    own = {"serving.kserve.io/inferenceservice": "twinstack-docs-pinned"}
    assert spread["labelSelector"]["matchLabels"] == own
    assert predictor["model"]["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}


def test_weights_have_an_hour_to_load() -> None:
    probe = docs()["spec"]["predictor"]["model"]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 3600


def test_a_classic_model_runs_on_the_runtime_that_the_chart_makes() -> None:
    made = one(render(ci(PRODUCTION), "predictors.yaml"), "InferenceService", "twinstack-credit-pinned")
    model = made["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "xgboost"}
    assert model["runtime"] == "twinstack-xgboost"
    assert model["args"] == ["--model_name=credit"]
    assert made["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"storageUri": ""}, "a pinned predictor needs a model"),
        ({"scaling": {"by": "none"}}, "0 needs scaling by requests"),
        ({"scaling": {"minReplicas": 9}}, "minReplicas 9 is above maxReplicas 3"),
        ({"cache": {"enabled": True}}, "cache.nodeGroups"),
        ({"cache": {"enabled": True, "nodeGroups": ["gpu"]}}, "model of one URI only"),
        ({"adapters": [{"name": "base", "uri": "s3://b/c"}]}, "the name base is taken"),
        ({"adapters": [{"name": "docs", "uri": "s3://b/c"}]}, "the name docs is taken"),
        ({"adapters": [{"name": "tone", "uri": "oci://r/c"}]}, "for a model of one URI only"),
        ({"storageUri": "oci://r/c"}, "for a model of one URI only"),
        ({"gpus": 8}, "may take 32 accelerators at their largest, allowed are 16"),
    ],
)
def test_a_contradiction_ends_the_rendering_with_its_place(change: Object, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        docs(**change)


def test_adapters_are_for_llm_twins() -> None:
    values = twin(ci(PRODUCTION), "credit", predictor={"adapters": [{"name": "a", "uri": "s3://b/c"}]})
    with pytest.raises(HelmError, match="for twins of kind llm"):
        render(values)
