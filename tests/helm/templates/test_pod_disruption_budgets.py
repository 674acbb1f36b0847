"""Voluntary disruptions."""

from tests.helm.rendering import ci, render


def test_what_has_one_pod_has_no_budget_that_would_hold_up_a_node() -> None:
    assert render(ci("kind"), "pod-disruption-budgets.yaml") == []


def test_what_has_several_loses_one_at_a_time() -> None:
    made = render(ci("production-gpu"), "pod-disruption-budgets.yaml")
    assert {it["metadata"]["name"] for it in made} == {
        "twinstack-docs", "twinstack-docs-pinned", "twinstack-support", "twinstack-credit",
        "twinstack-credit-pinned", "twinstack-console",
    }  # fmt: skip
    assert {it["spec"]["maxUnavailable"] for it in made} == {1}
    assert {it["spec"]["unhealthyPodEvictionPolicy"] for it in made} == {"AlwaysAllow"}
