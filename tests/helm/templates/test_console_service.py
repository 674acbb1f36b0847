"""The operations API's Service."""

from tests.helm.rendering import ci, render


def test_it_leads_to_the_port_that_the_container_names() -> None:
    (service,) = render(ci("minimal"), "console-service.yaml")
    (deployment,) = render(ci("minimal"), "console-deployment.yaml")
    (port,) = service["spec"]["ports"]
    named = deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert {"name": port["targetPort"], "containerPort": port["port"], "protocol": "TCP"} in named
    assert render(ci("everything-off"), "console-service.yaml") == []
