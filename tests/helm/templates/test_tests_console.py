"""`helm test` of the operations API."""

from tests.helm.rendering import ci, render


def test_it_calls_the_service_at_its_port() -> None:
    (pod,) = render(ci("minimal"), "tests/console.yaml")
    (service,) = render(ci("minimal"), "console-service.yaml")
    (port,) = service["spec"]["ports"]
    address = pod["spec"]["containers"][0]["args"][1]
    assert address == f"http://{service['metadata']['name']}.twinstack.svc:{port['port']}"
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
