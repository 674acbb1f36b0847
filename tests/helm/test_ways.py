"""Every connection that the configuration leads to is let through by a policy, and is logged in to."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.helm.rendering import CI, NAMESPACE, PAGES, ROOT, Object, base, ci, merged, render

STORING = ("front", "console", "migration")

#: Port of a URI that names none.
PORTS = {"http": 80, "https": 443, "mongodb": 27017, "postgresql": 5432, "redis": 6379, "rediss": 6379}


def _place(uri: str) -> tuple[str, int]:
    """Namespace and port behind a URI; no namespace where it leads out of the cluster."""
    parts = urlsplit(uri)
    labels = (parts.hostname or "").split(".")
    inside = labels[2:3] in ([], ["svc"]) and len(labels) > 1
    # MongoDB's pods have names of their own below the Service.
    namespace = labels[1] if inside else labels[2] if labels[3:4] == ["svc"] else ""
    return namespace, parts.port or PORTS[parts.scheme]


def connections(values: Object) -> Iterator[tuple[str, str, int]]:
    """Component, namespace and port of every store, model and server that values name."""
    config = values["config"]
    s3 = _place(values.get("environment", {}).get("AWS_ENDPOINT_URL", "https://s3.example.org"))
    for uri in config.get("stores", {}).values():
        found = [s3] if uri.startswith(("s3:", "feast+s3:")) else []
        if uri.startswith("feast"):
            found += [_place(one) for one in parse_qs(urlsplit(uri).query).get("online", [])]
        elif urlsplit(uri).scheme in PORTS:
            found.append(_place(uri))
        yield from ((component, *place) for component in STORING for place in found)
    if endpoint := config.get("cluster", {}).get("kfp", {}).get("endpoint"):
        yield ("console", *_place(endpoint))
    for twin in config["twins"].values():
        if (model := twin.get("foundation", {}).get("model", "")).startswith("http"):
            yield ("front", *_place(model))


def lets_out(policies: list[Object], component: str, namespace: str, port: int) -> bool:
    """Whether pods of a component may connect to pods of a namespace, or to the world where that is empty."""
    for policy in policies:
        (selecting,) = policy["spec"]["podSelector"]["matchExpressions"]
        if component in selecting["values"]:
            for way in policy["spec"].get("egress", []):
                if port in [one["port"] for one in way["ports"]] and any(
                    _is(peer, namespace) for peer in way["to"]
                ):
                    return True
    return False


def _is(peer: Object, namespace: str) -> bool:
    if "ipBlock" in peer:
        return bool(peer["ipBlock"]["cidr"] == "0.0.0.0/0")
    return bool(
        peer.get("namespaceSelector", {}).get("matchLabels") == {"kubernetes.io/metadata.name": namespace}
    )


def _written() -> Any:
    """What a reader of the page on an existing Kubeflow has in the end."""
    (page,) = [one for one in PAGES if one.stem == "install-on-existing-kubeflow"]
    found = base()
    for block in page.read_text(encoding="utf-8").split("```values\n")[1:]:
        found = merged(found, yaml.safe_load(block.split("```")[0]))
    found["config"]["cluster"]["deployment_mode"] = "Standard"
    found["config"]["twins"] = {"credit": found["config"]["twins"]["credit"]}
    return found | {"twins": [{"name": "credit", "kind": "classic"}]}


@pytest.mark.parametrize("name", ["minimal", "kind", "production-gpu", "air-gapped", "documentation"])
def test_every_store_model_and_server_of_the_configuration_is_reached(name: str) -> None:
    values = _written() if name == "documentation" else ci(name)
    policies = render(values, "network-policies.yaml")
    asked = {one for one in connections(values) if one[1] != NAMESPACE}
    assert asked or name == "minimal"
    assert [one for one in sorted(asked) if not lets_out(policies, *one)] == []


#: Variables by which a store is logged in to, by the scheme that asks for them.
LOGINS = {
    "mongodb": {"MONGODB_USERNAME", "MONGODB_PASSWORD"},
    "postgresql": {"PGPASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "s3": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
}


def _logins(values: Object) -> set[str]:
    """Variables that the stores of values ask for; keys of object storage may be the account's own."""
    stores = " ".join(values["config"]["stores"].values())
    own = values.get("serviceAccounts", {}).get("annotations")
    schemes = [one for one in LOGINS if f"{one}://" in stores and not (one == "s3" and own)]
    found = {variable for one in schemes for variable in LOGINS[one]}
    whole = {"TWINSTACK_STORES__WAREHOUSE"} if "warehouse" not in values["config"]["stores"] else set()
    return found | whole


@pytest.mark.parametrize("name", ["kind", "production-gpu", "air-gapped", "documentation"])
def test_pods_and_stages_have_what_every_store_asks_for(name: str) -> None:
    values = _written() if name == "documentation" else ci(name)
    if name == "production-gpu":
        settings = (ROOT / "manifests/overlays/prod/cluster.yaml").read_text(encoding="utf-8")
        values = merged(values, {"config": yaml.safe_load(settings)})
    wanted = _logins(values)
    for component in STORING:
        given = {one for it in values["secrets"] if component in it["for"] for one in it.get("env", {})}
        assert wanted <= given, component
    stages = {one["variable"] for one in values["config"]["cluster"]["secrets"] if not one.get("stages")}
    assert wanted <= stages


@pytest.mark.parametrize("name", list(CI))
def test_what_fetches_a_model_from_object_storage_has_keys(name: str) -> None:
    accounts = [one for one in render(ci(name)) if one["kind"] == "ServiceAccount"]
    fetched = [
        one
        for one in render(ci(name))
        if one["kind"] in ("InferenceService", "LLMInferenceService") and "s3://" in str(one["spec"])
    ]
    for made in fetched:
        (account,) = re.findall(r"'serviceAccountName': '([^']+)'", str(made["spec"]))
        (found,) = [one for one in accounts if one["metadata"]["name"] == account]
        assert found.get("secrets") or found["metadata"].get("annotations")
    assert fetched or name not in ("production-gpu", "air-gapped")


def test_only_the_operations_api_reaches_the_pipelines() -> None:
    policies = render(ci("production-gpu"), "network-policies.yaml")
    assert lets_out(policies, "console", "kubeflow", 8888)
    assert not lets_out(policies, "front", "kubeflow", 8888)
    assert not lets_out(policies, "console", "kubeflow", 9000)


@pytest.mark.parametrize(
    ("endpoint", "way"),
    [
        ("http://ml-pipeline.kubeflow.svc.cluster.local:8888", ("kubeflow", 8888)),
        ("https://ml-pipeline.pipes/api", ("pipes", 443)),
        ("https://kubeflow.ml.example.org/pipeline", None),
        ("", None),
    ],
)
def test_a_way_is_made_for_a_service_and_not_for_an_address_elsewhere(
    endpoint: str, way: tuple[str, int] | None
) -> None:
    made = render(
        merged(ci("kind"), {"config": {"cluster": {"kfp": {"endpoint": endpoint}}}}), "network-policies.yaml"
    )
    named = [one for one in made if one["metadata"]["name"] == "twinstack-console-to-pipelines"]
    assert [lets_out(named, "console", *way)] == [True] if way else named == []
