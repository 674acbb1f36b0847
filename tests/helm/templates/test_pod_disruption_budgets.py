"""Voluntary disruptions."""

from components.adapters.kubernetes.inference_service import inference_service
from components.shared.config.cluster import Cluster
from tests.components.adapters.kubernetes.conftest import release
from tests.helm.rendering import ci, pods, render


def test_what_has_one_pod_has_no_budget_that_would_hold_up_a_node() -> None:
    assert render(ci("kind"), "pod-disruption-budgets.yaml") == []


def test_what_has_several_loses_one_at_a_time() -> None:
    made = render(ci("production-gpu"), "pod-disruption-budgets.yaml")
    assert {it["metadata"]["name"] for it in made} == {
        "twinstack-docs", "twinstack-docs-pinned", "twinstack-support", "twinstack-support-pinned",
        "twinstack-credit", "twinstack-credit-pinned", "twinstack-console",
    }  # fmt: skip
    assert {it["spec"]["maxUnavailable"] for it in made} == {1}
    assert {it["spec"]["unhealthyPodEvictionPolicy"] for it in made} == {"AlwaysAllow"}


def test_predictors_of_the_release_stage_have_one_a_twin_and_no_pod_has_two() -> None:
    """Kubernetes evicts no pod that two budgets select."""
    several = {
        "classic": {"max_replicas": 3},
        "twins": {"docs": {"max_replicas": 1}},
        "llm": {"max_replicas": 2},
    }
    fetched = {
        "credit": {"model": ""},
        "docs": {"foundation": {"model": "hf://org/base"}},
        "support": {"foundation": {"model": "hf://org/base"}},
    }
    values = ci("production-gpu", config={"cluster": {"predictors": several}, "twins": fetched})
    objects = render(values)
    budgets = [it for it in objects if it["kind"] == "PodDisruptionBudget"]
    selectors = {it["metadata"]["name"]: it["spec"]["selector"]["matchLabels"] for it in budgets}
    assert {name for name in selectors if name.endswith("-released")} == {
        "twinstack-credit-released",
        "twinstack-support-released",
    }
    labels = inference_service(release(), Cluster(), "s3://b/a")["metadata"]["labels"]
    chosen = [name for name, one in selectors.items() if one.items() <= labels.items()]
    assert chosen == ["twinstack-credit-released"]
    for pod in pods(objects):
        assert len([one for one in selectors.values() if one.items() <= pod.labels.items()]) <= 1, pod.of


def test_twins_whose_model_answers_elsewhere_have_no_budget_for_predictors_that_are_not_made() -> None:
    several = {"classic": {"max_replicas": 3}, "llm": {"max_replicas": 2}}
    made = render(
        ci("production-gpu", config={"cluster": {"predictors": several}}), "pod-disruption-budgets.yaml"
    )
    assert not [it for it in made if it["metadata"]["name"].endswith("-released")]
