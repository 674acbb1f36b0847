"""The operations API."""

from tests.helm.rendering import ci, render


def test_it_runs_the_console_with_a_token_for_pipelines_only() -> None:
    (made,) = render(ci("minimal"), "console-deployment.yaml")
    spec = made["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["python", "-m", "components.console"]
    assert container["image"] == "twinstack/console-python:0.1.0"
    tokens = [volume["projected"]["sources"] for volume in spec["volumes"] if "projected" in volume]
    assert [one["serviceAccountToken"]["audience"] for (one,) in tokens] == ["pipelines.kubeflow.org"]


def test_it_can_be_left_out() -> None:
    assert render(ci("everything-off"), "console-deployment.yaml") == []
    assert render({}, "console-deployment.yaml") == []
