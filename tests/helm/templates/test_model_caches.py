"""Weights that are cached on the nodes."""

import pytest

from tests.helm.rendering import ci, render, twin


def test_the_cache_holds_what_the_predictor_loads() -> None:
    (made,) = render(ci("production-gpu"), "model-caches.yaml")
    assert made["kind"] == "LocalModelNamespaceCache"
    assert made["spec"] == {
        "sourceModelUri": "hf://Qwen/Qwen3-32B",
        "modelSize": "70Gi",
        "nodeGroups": ["gpu"],
    }


def test_another_model_is_another_cache_because_nobody_may_change_one() -> None:
    def named(uri: str) -> str:
        (made,) = render(
            twin(ci("production-gpu"), "support", predictor={"storageUri": uri}), "model-caches.yaml"
        )
        return str(made["metadata"]["name"])

    assert named("hf://a/b") == named("hf://a/b") != named("hf://a/c")


@pytest.mark.parametrize("scope", ["Namespace", "Cluster"])
def test_its_name_fits_into_the_label_that_kserve_writes(scope: str) -> None:
    values = twin(ci("production-gpu"), "support", predictor={"cache": {"scope": scope}})
    values["config"]["cluster"]["namespace"] = "a" * 63
    (made,) = render(values, "model-caches.yaml", release="b" * 53, namespace="a" * 63)
    assert len(made["metadata"]["name"]) <= 63


def test_it_may_be_for_the_whole_cluster() -> None:
    values = twin(ci("production-gpu"), "support", predictor={"cache": {"scope": "Cluster"}})
    (made,) = render(values, "model-caches.yaml")
    assert made["kind"] == "LocalModelCache"
