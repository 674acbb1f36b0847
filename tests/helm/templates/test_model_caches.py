"""Weights that are cached on the nodes."""

from tests.helm.rendering import ci, render, twin


def test_the_cache_holds_what_the_predictor_loads() -> None:
    (made,) = render(ci("production-gpu"), "model-caches.yaml")
    assert made["kind"] == "LocalModelNamespaceCache"
    assert made["spec"] == {
        "sourceModelUri": "hf://Qwen/Qwen3-32B",
        "modelSize": "70Gi",
        "nodeGroups": ["gpu"],
    }


def test_it_may_be_for_the_whole_cluster() -> None:
    values = twin(ci("production-gpu"), "support", predictor={"cache": {"scope": "Cluster"}})
    (made,) = render(values, "model-caches.yaml")
    assert made["kind"] == "LocalModelCache"
