"""Rights, each in the release's namespace."""

from tests.helm.rendering import ci, one, render


def test_kfps_own_account_may_be_given_the_rights_of_pipelines() -> None:
    values = ci("minimal", rbac={"pipelineSubjects": [{"name": "pipeline-runner", "namespace": "kubeflow"}]})
    binding = one(render(values, "roles.yaml"), "RoleBinding", "twinstack-pipelines")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "twinstack-pipelines", "namespace": "twinstack"},
        {"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": "kubeflow"},
    ]


def test_rights_that_nobody_needs_can_be_left_out() -> None:
    made = render(ci("minimal", rbac={"trainer": False, "workflow": False, "kfpRuns": False}), "roles.yaml")
    for name in ("twinstack-pipelines", "twinstack-console"):
        role = one(made, "Role", name)
        groups = {group for rule in role["rules"] for group in rule["apiGroups"]}
        assert groups == {"", "serving.kserve.io", "autoscaling", "keda.sh"}


def test_the_console_may_release_and_start_runs_and_no_more() -> None:
    made = render(ci("minimal", rbac={"trainer": False, "workflow": False}), "roles.yaml")
    console, pipelines = (one(made, "Role", f"twinstack-{name}") for name in ("console", "pipelines"))
    added = [rule for rule in console["rules"] if rule not in pipelines["rules"]]
    assert [rule for rule in pipelines["rules"] if rule not in console["rules"]] == []
    assert {group for rule in added for group in rule["apiGroups"]} == {"pipelines.kubeflow.org"}
    assert {verb for rule in added for verb in rule["verbs"]} == {"get", "list", "create"}


def test_fronts_have_no_right_at_all() -> None:
    for made in render(ci("production-gpu"), "roles.yaml"):
        if made["kind"] == "RoleBinding":
            assert "twinstack-serving" not in {it["name"] for it in made["subjects"]}
