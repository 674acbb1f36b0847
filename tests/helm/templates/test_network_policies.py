"""Default deny, and the named ways through it."""

from tests.helm.rendering import Object, ci, one, pods, render

OBJECTS = render(ci("production-gpu"))
POLICIES = [it for it in OBJECTS if it["kind"] == "NetworkPolicy"]


def policy(name: str) -> Object:
    spec: Object = one(POLICIES, "NetworkPolicy", f"twinstack-{name}")["spec"]
    return spec


def components(spec: Object) -> set[str]:
    if labels := spec["podSelector"].get("matchLabels"):
        return {labels["twinstack.io/component"]}
    (expression,) = spec["podSelector"]["matchExpressions"]
    assert expression["key"] == "twinstack.io/component" or spec == policy("llm-scheduler")
    return set(expression["values"])


def test_every_pod_is_denied_by_default() -> None:
    denied = policy("default-deny")
    assert denied["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(denied)
    labels = {
        pod.labels["twinstack.io/component"]
        for pod in pods(OBJECTS)
        if not pod.of.startswith("ServingRuntime")
    }
    assert labels == components(denied)


def test_every_way_names_its_ports_and_who_is_at_the_other_end() -> None:
    for made in POLICIES:
        for way in made["spec"].get("ingress", []):
            assert way["from"]
            assert way["ports"]
        for way in made["spec"].get("egress", []):
            assert way["to"]
            assert way["ports"]


def to_anywhere(objects: list[Object], way: str, end: str) -> set[str]:
    """Policies one of whose ways has every address, or every namespace, at its other end."""
    return {
        made["metadata"]["name"].removeprefix("twinstack-")
        for made in objects
        if made["kind"] == "NetworkPolicy"
        for one in made["spec"].get(way, [])
        for peer in one[end]
        if peer.get("ipBlock", {}).get("cidr", "").endswith("/0") or peer.get("namespaceSelector") == {}
    }


def test_nobody_is_asked_from_anywhere_and_only_what_has_no_known_address_is_reached_anywhere() -> None:
    assert to_anywhere(OBJECTS, "ingress", "from") == set()
    unknown = {"llm-scheduler", "predictors", "llm-predictors"}
    # These values keep artifacts in an object store outside the cluster.
    store = {"store-s3", "migration"}
    assert to_anywhere(OBJECTS, "egress", "to") == unknown | store
    known = {"kubernetes": [{"ipBlock": {"cidr": "10.96.0.1/32"}}], "models": [{"podSelector": {}}]}
    narrow = render(ci("production-gpu", networkPolicies=known))
    assert to_anywhere(narrow, "egress", "to") == store


def test_predictors_are_asked_by_fronts_and_stages_only() -> None:
    spec = policy("predictors")
    assert components(spec) == {"predictor"}
    assert spec["ingress"][0]["from"] == [
        {"podSelector": {"matchLabels": {"twinstack.io/component": "front"}}},
        {"podSelector": {"matchExpressions": [{"key": "twinstack.io/stage", "operator": "Exists"}]}},
    ]


def test_stages_that_run_in_the_namespace_of_the_pipelines_ask_predictors_too() -> None:
    made = one(render(ci("kind")), "NetworkPolicy", "twinstack-predictors")
    stages = {"podSelector": {"matchExpressions": [{"key": "twinstack.io/stage", "operator": "Exists"}]}}
    elsewhere = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kubeflow"}}, **stages}
    assert made["spec"]["ingress"][0]["from"][1:] == [stages, elsewhere]


def test_stores_are_named_with_their_ports() -> None:
    spec = policy("store-warehouse")
    assert components(spec) == {"front", "console", "migration"}
    assert spec["egress"][0]["ports"] == [{"port": 27017, "protocol": "TCP"}]


def test_stages_of_pipelines_are_not_ours_to_deny() -> None:
    for made in POLICIES:
        assert "pipelines" not in components(made["spec"])


def test_knative_reaches_its_queue_proxies() -> None:
    made = one(render(ci("air-gapped")), "NetworkPolicy", "twinstack-knative")
    assert {"port": 8012, "protocol": "TCP"} in made["spec"]["ingress"][0]["ports"]


def test_they_can_be_left_out() -> None:
    assert render(ci("everything-off"), "network-policies.yaml") == []


def test_a_model_that_spans_pods_is_asked_by_way_of_kserve_s_scheduler_only() -> None:
    scheduler = {"app.kubernetes.io/component": "llminferenceservice-router-scheduler"}
    (asked,) = policy("llm-predictors")["ingress"]
    assert [one for one in asked["from"] if "namespaceSelector" not in one] == [
        {"podSelector": {"matchLabels": scheduler}}
    ]
    spec = policy("llm-scheduler")
    # The gateway, and who scrapes it.
    assert {9002, 9090} == {one["port"] for one in spec["ingress"][0]["ports"]}
    ports = [{one["port"] for one in way["ports"]} for way in spec["egress"]]
    assert ports == [{8000}, {53}, {443, 6443}]
    assert "llm-scheduler" not in str(render(ci("kind"), "network-policies.yaml"))
