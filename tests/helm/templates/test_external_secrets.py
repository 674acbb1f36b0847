"""Secrets by reference only."""

from tests.helm.rendering import ci, one, render


def test_an_external_secret_makes_the_secret_that_pods_name() -> None:
    (made,) = render(ci("production-gpu"), "external-secrets.yaml")
    assert made["spec"]["target"] == {"name": "twinstack-stores", "creationPolicy": "Owner"}
    assert made["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    front = one(render(ci("production-gpu"), "front.yaml"), "InferenceService", "twinstack-docs")
    (container,) = front["spec"]["predictor"]["containers"]
    named = {it["name"]: it["valueFrom"]["secretKeyRef"] for it in container["env"] if "valueFrom" in it}
    assert named["MONGODB_PASSWORD"] == {"name": "twinstack-stores", "key": "mongodb-secret"}


def test_a_secret_reaches_only_those_it_is_for() -> None:
    secret = {"name": "s", "for": ["console"], "env": {"A": "a"}, "mount": "/etc/s"}
    values = ci("minimal", secrets=[secret])
    (front,) = render(values, "front.yaml")
    (console,) = render(values, "console-deployment.yaml")
    spec = console["spec"]["template"]["spec"]
    given = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}}
    assert given in spec["containers"][0]["env"]
    assert given not in front["spec"]["predictor"]["containers"][0]["env"]
    assert {"name": "secret-0", "secret": {"secretName": "s"}} in spec["volumes"]


def test_the_chart_makes_no_secret() -> None:
    assert [it for it in render(ci("production-gpu")) if it["kind"] == "Secret"] == []
