"""Secrets by reference only."""

from tests.helm.rendering import Object, ci, one, render


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


def annotations(values: Object) -> tuple[Object, Object]:
    """Annotations of the pods of a front and of the operations API."""
    objects = render(values)
    front = one(objects, "InferenceService", "twinstack-docs")["spec"]["predictor"]
    console = one(objects, "Deployment", "twinstack-console")["spec"]["template"]["metadata"]
    return front["annotations"], console["annotations"]


def test_pods_start_anew_when_other_things_are_brought_to_them() -> None:
    values = ci("production-gpu")
    before = annotations(values)
    values["secrets"][0]["external"]["data"]["s3-id"]["property"] = "other"
    for was, now in zip(before, annotations(values), strict=True):
        assert was["checksum/external-secrets"] != now["checksum/external-secrets"]
        assert was["checksum/config"] == now["checksum/config"]
    values["secrets"][0]["for"] = ["migration"]
    assert all("checksum/external-secrets" not in it for it in annotations(values))


def test_an_annotation_that_restarts_pods_reaches_all_of_ours() -> None:
    reload = {"reloader.stakater.com/auto": "true"}
    for found in annotations(ci("production-gpu", pods={"annotations": reload})):
        assert reload.items() <= found.items()


def test_the_chart_makes_no_secret() -> None:
    assert [it for it in render(ci("production-gpu")) if it["kind"] == "Secret"] == []
