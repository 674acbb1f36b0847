"""Everything that a cluster is handed, by the rules of an API server, with the longest and oddest names."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from components.adapters.kubernetes.autoscaling import autoscaler
from components.adapters.kubernetes.inference_service import inference_service
from components.shared.config.cluster import Cluster
from tests.components.adapters.kubernetes.conftest import release
from tests.helm.rendering import CI, NAMESPACE, ci, render
from tests.kubernetes.api_rules import Object, refusals
from tests.manifests.rendering import OPTIONS, OVERLAYS, objects, overlay, with_option

GPU: Object = {"node_labels": {"pool": "gpu"}, "tolerations": [{"key": "nvidia.com/gpu"}]}


def wrong(found: list[Object]) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["metadata"]["name"], said) for one in found for said in refusals(one)]


@pytest.mark.parametrize("name", CI)
@pytest.mark.parametrize("named", ["twinstack", "a" * 53, "team.twinstack", "a" * 14 + ".b" * 10])
def test_the_chart_whatever_the_release_is_called(name: str, named: str) -> None:
    found = render(ci(name), release=named)
    assert wrong(found) == []
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("namespace", ["system-ml", "a" * 63])
def test_the_chart_in_a_namespace_of_an_odd_name(namespace: str) -> None:
    values = ci("production-gpu")
    values["config"]["cluster"]["namespace"] = namespace
    found = render(values, namespace=namespace)
    assert wrong(found) == []
    # Pods name the very classes that the chart makes.
    made = {one["metadata"]["name"] for one in found if one["kind"] == "PriorityClass"}
    (pod,) = [one["spec"]["template"]["spec"] for one in found if one["kind"] == "Deployment"]
    assert pod["priorityClassName"] in made


def test_releases_with_dots_and_with_dashes_share_no_name() -> None:
    def names(named: str) -> set[tuple[Any, ...]]:
        kinds = ("Deployment", "Service", "ConfigMap", "InferenceService")
        return {
            (one["kind"], one["metadata"]["name"])
            for one in render(ci("minimal"), release=named, namespace=NAMESPACE)
            if one["kind"] in kinds
        }

    assert names("a.b") & names("a-b") == set()


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay(name: str) -> None:
    assert wrong(overlay(name)) == []


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_with_the_base_alone(name: str, tmp_path: Path) -> None:
    assert wrong(objects(with_option(name, tmp_path))) == []


@pytest.mark.parametrize("kind", ["classic", "llm"])
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_what_stage_release_makes(kind: str, mode: str) -> None:
    for twin, version, gpus in itertools.product(("docs", "a" * 40), ("1", "2147483647"), (0, 2)):
        work = {"gpus": gpus, "pool": "gpu", "max_replicas": 3, "grace_seconds": 10}
        settings = Cluster(
            deployment_mode=mode, knative_pod_fields=True, pools={"gpu": GPU}, predictors={kind: work}
        )
        candidate = release(kind, version, twin=twin)
        made = inference_service(candidate, settings, "s3://bucket/artifacts")
        scaled = autoscaler(candidate, made, "1", settings)
        assert wrong([made, *([scaled] if scaled else [])]) == []
