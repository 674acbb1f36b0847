"""Rights, each in the release's namespace."""

from tests.helm.rendering import ci, one, render


def test_kfps_own_account_may_be_given_the_rights_of_pipelines() -> None:
    binding = one(render(ci("kind"), "roles.yaml"), "RoleBinding", "twinstack-pipelines")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "twinstack-pipelines", "namespace": "twinstack"},
        {"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": "kubeflow"},
    ]


def test_rights_that_nobody_needs_can_be_left_out() -> None:
    made = render(ci("minimal", rbac={"trainer": False, "workflow": False, "kfpRuns": False}), "roles.yaml")
    assert {it["metadata"]["name"] for it in made} == {"twinstack-pipelines"}
    role = one(made, "Role", "twinstack-pipelines")
    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {"", "serving.kserve.io"}


def test_the_console_may_start_runs_and_no_more() -> None:
    role = one(render(ci("minimal"), "roles.yaml"), "Role", "twinstack-console")
    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {"pipelines.kubeflow.org"}
    assert not [rule for rule in role["rules"] if "delete" in rule["verbs"]]


def test_fronts_have_no_right_at_all() -> None:
    for made in render(ci("production-gpu"), "roles.yaml"):
        if made["kind"] == "RoleBinding":
            assert "twinstack-serving" not in {it["name"] for it in made["subjects"]}
