"""The one ConfigMap."""

import pytest
import yaml
from helm_python import HelmError

from tests.helm.rendering import Object, ci, merged, one, pods, render


def test_it_holds_the_configuration_with_the_namespace_of_the_release() -> None:
    (made,) = render(ci("minimal"), "config.yaml")
    found = yaml.safe_load(made["data"]["twinstack.yaml"])
    assert found["twins"] == ci("minimal")["config"]["twins"]
    assert found["cluster"]["namespace"] == "twinstack"


def test_common_labels_reach_every_pod_and_the_predictors_of_the_release_stage() -> None:
    labels = {"sidecar.istio.io/inject": "false"}
    objects = render(ci("production-gpu", commonLabels=labels))
    for pod in pods(objects):
        if not pod.of.startswith("ServingRuntime"):
            assert labels.items() <= pod.labels.items(), pod.of
    made = yaml.safe_load(one(objects, "ConfigMap", "twinstack")["data"]["twinstack.yaml"])
    assert made["cluster"]["predictors"]["labels"] == labels
    own = {"config": {"cluster": {"predictors": {"labels": {"team": "risk"}}}}}
    (config,) = render(ci("minimal", commonLabels=labels, **own), "config.yaml")
    kept = yaml.safe_load(config["data"]["twinstack.yaml"])["cluster"]["predictors"]["labels"]
    assert kept == {**labels, "team": "risk"}


def test_files_beside_it_are_mounted_by_their_paths() -> None:
    text = 'def amount(x: int) -> int:\n    return x  # "{{ kept }}"\n'
    values = ci("minimal", files={"flows/my_features.py": text})
    (made,) = render(values, "config.yaml")
    (front,) = render(values, "front.yaml")
    (volume,) = [one for one in front["spec"]["predictor"]["volumes"] if one["name"] == "config"]
    (key,) = [it["key"] for it in volume["configMap"]["items"] if it["path"] == "flows/my_features.py"]
    assert made["data"][key] == text
    (mount,) = [
        it
        for it in front["spec"]["predictor"]["containers"][0]["volumeMounts"]
        if it.get("subPath") == "flows/my_features.py"
    ]
    root = yaml.safe_load(made["data"]["twinstack.yaml"])["root"]
    assert mount["mountPath"] == f"{root}/flows/my_features.py"


def test_without_a_twin_there_is_none() -> None:
    assert render({}, "config.yaml") == []


def test_a_release_whose_services_would_begin_with_a_digit_is_refused() -> None:
    with pytest.raises(HelmError, match="begin with a letter"):
        render(ci("minimal"), release="2024-twinstack")
    assert render(ci("minimal", fullnameOverride="twinstack"), release="2024-twinstack")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"config": {"stores": {"warehouse": ""}}},
            r"config\.stores\.warehouse.*TWINSTACK_STORES__WAREHOUSE",
        ),
        ({"config": {"cluster": {"environment": "prod"}}}, r"digests\.pipeline: environment prod"),
        ({"config": {"cluster": {"namespace": "other"}}}, "install with --namespace other"),
        ({"twins": [{"name": "nobody", "kind": "llm"}]}, "no such twin in config.twins; name one of: credit"),
        (
            {"twins": [{"name": "credit", "kind": "llm"}]},
            "kind is llm here and classic in config.twins.credit",
        ),
        ({"twins": [{"name": "credit", "kind": "classic"}] * 2}, "credit is listed twice"),
        ({"config": {"serving": {"allow_anonymous": False}}}, "do not start without API keys"),
        (
            {
                "config": {"twins": {"console": ci("minimal")["config"]["twins"]["credit"]}},
                "twins": [{"name": "console", "kind": "classic"}],
            },
            "the name twinstack-console would be given twice",
        ),
    ],
)
def test_a_contradiction_ends_the_rendering_with_its_place(change: Object, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        render(merged(ci("minimal"), change))


def test_released_predictors_may_take_the_accelerators_that_pinned_ones_leave() -> None:
    def limit(values: Object) -> object:
        (made,) = render(values, "config.yaml")
        predictors = yaml.safe_load(made["data"]["twinstack.yaml"])["cluster"].get("predictors", {})
        return predictors.get("max_gpus")

    assert limit(ci("production-gpu")) == 16 - (2 * 3 + 4 * 2)
    assert limit(ci("production-gpu", limits={"gpus": 14})) == 0
    assert limit(ci("production-gpu", limits={"gpus": 0})) is None
    own = {"config": {"cluster": {"predictors": {"max_gpus": 1}}}}
    assert limit(ci("production-gpu", **own)) == 1
