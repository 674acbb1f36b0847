"""Values that a schema takes and an API server would not, or not as they were meant."""

from typing import Any

import pytest
from helm_python import HelmError

from tests.helm.checking import findings
from tests.helm.rendering import Object, ci, merged, pods, refused, render

CREDIT = {"name": "credit", "kind": "classic"}
FRONT = {"name": "more", "for": ["front"]}


def _secrets(*more: Object) -> Object:
    return {"secrets": [*ci("kind")["secrets"], *more]}


def test_names_that_yaml_takes_for_something_else_stay_names() -> None:
    values = ci("production-gpu", fullnameOverride="on", nameOverride="null")
    credit = {**values["twins"][2], "name": "null", "storage": {"claim": "1e5", "create": False}}
    values |= {"twins": [credit]}
    values["config"]["twins"] = {"null": values["config"]["twins"]["credit"]}
    cluster = values["config"]["cluster"]
    cluster |= {"namespace": "123", "kfp": {}, "service_accounts": {"serving": "no", "pipelines": "off"}}
    cluster["images"]["pull_secrets"] = ["0x1f"]
    more: Object = {
        "config": {"state": "/a,b", "cluster": {"prometheus": {"authentication": "null"}}},
        "commonLabels": {"cost": "12"},
        "caBundle": {"configMap": "true", "key": "1"},
        "console": {"serviceAccount": "yes", "storage": {"claim": "1e5"}},
        "pods": {"annotations": {"note": "on"}, "nodeSelector": {"pool": "true"}},
        "monitoring": {"alertmanager": {"keySecret": "1", "keySecretKey": "2"}},
    }
    objects = render(merged(values, more), release="1e5", namespace="123")
    assert [(made["kind"], found) for made in objects for found in findings(made)] == []
    for made in objects:
        assert set(map(type, made["metadata"]["labels"].values())) == {str}
        assert made["metadata"]["labels"]["app.kubernetes.io/instance"] == "1e5"
        assert made["metadata"]["labels"].get("twinstack.io/twin", "null") == "null"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"commonLabels": {"twinstack.io/component": "x"}}, "commonLabels: twinstack.io/component"),
        ({"monitoring": {"labels": {"app.kubernetes.io/instance": "x"}}}, "monitoring.labels: app"),
        ({"environment": {"PGPASSWORD": "x"}}, "secrets[twinstack-stores].env.PGPASSWORD"),
        (_secrets({**FRONT, "env": {"PGPASSWORD": "x"}}), "secrets[more].env.PGPASSWORD: the pods (front)"),
        (_secrets({**FRONT, "mount": "/tmp"}), "more].mount: /tmp is a folder that the pods write to"),
        (_secrets({**FRONT, "mount": "/etc/twinstack/keys"}), "/etc/twinstack lie inside each other"),
        (_secrets({**FRONT, "mount": "/a"}, {**FRONT, "mount": "/a"}), "/a and /a lie inside each other"),
        (_secrets({"name": "more", "for": ["test"], "mount": "/a"}), "helm test take variables"),
        ({"config": {"state": "state"}}, "config.state: state"),
        ({"config": {"state": "/tmp"}}, "config.state: /tmp"),
        ({"files": {"a.txt": "x" * 1_100_000}}, "Kubernetes takes 1048576"),
        ({"config": {"cluster": {"service_accounts": {"serving": "twinstack-console"}}}}, "name another"),
        ({"console": {"resources": {"requests": {"cpu": "1001m"}}}}, "cpu: 1001m is above the limit of 1"),
        ({"console": {"resources": {"limits": {"cpu": 0}}}}, "cpu: 100m is above the limit of 0"),
        ({"console": {"resources": {"requests": {"nvidia.com/gpu": 1}}}}, "devices are not overcommitted"),
        ({"migration": {"resources": {"limits": {"memory": "900M"}}}}, "memory: 1Gi is above the limit"),
        (
            {"twinDefaults": {"front": {"resources": {"requests": {"memory": "9Gi"}}}}, "twins": [CREDIT]},
            "twins[credit].front.resources.requests.memory: 9Gi is above the limit of 4Gi",
        ),
    ],
)  # fmt: skip
def test_what_an_api_server_or_a_kubelet_would_refuse_is_refused_with_its_place(
    change: Object, said: str
) -> None:
    with pytest.raises(HelmError) as found:
        render(merged(ci("kind"), change))
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"monitoring": None}, "missing property 'monitoring'"),
        ({"config": {"cluster": {"images": None}}}, "missing property 'images'"),
        ({"networkPolicies": {"callers": [{}]}}, "/networkPolicies/callers/0"),
        ({"networkPolicies": {"callers": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}}, "cidr"),
        ({"networkPolicies": {"callers": [{"ipBlock": {"cidr": "::/0"}, "podSelector": {}}]}}, "callers/0"),
        ({"pods": {"tolerations": [{"value": "x"}]}}, "missing property 'key'"),
        ({"pods": {"tolerations": [{"key": "a b", "operator": "Exists"}]}}, "tolerations/0/key"),
        ({"pods": {"tolerations": [{"operator": "Exists", "value": "x"}]}}, "tolerations/0/value"),
        ({"pods": {"tolerations": [{"key": "a", "tolerationSeconds": 1}]}}, "missing property 'effect'"),
        ({"pods": {"spread": {"topologyKey": "a b"}}}, "topologyKey"),
        ({"console": {"resources": {"limits": {"gpu": 1}}}}, "'gpu' not allowed"),
        ({"console": {"resources": {"limits": {"nvidia.com/gpu": 0.5}}}}, "gpu"),
        ({"commonLabels": {"a..b/c": "d"}}, "'a..b/c' not allowed"),
        ({"caBundle": {"configMap": "a..b"}}, "/caBundle/configMap"),
        ({"caBundle": {"key": ".."}}, "/caBundle/key"),
        ({"twinDefaults": {"front": {"graceSeconds": 4}}}, "graceSeconds"),
        ({"config": {"cluster": {"pools": {"a": {"node_labels": {"a": "b c"}}}}}}, "/node_labels/a"),
    ],
)
def test_what_is_empty_or_contradicts_itself_is_refused_by_the_schema(change: Object, said: str) -> None:
    assert said in refused(merged(ci("kind"), change))


def test_lists_and_limits_may_be_taken_away() -> None:
    bare: Object = {"networkPolicies": {"callers": None}, "console": {"resources": {"limits": None}}}
    (pod,) = [one for one in pods(render(merged(ci("kind"), bare))) if one.of.startswith("Deployment")]
    assert "limits" not in pod.containers[0]["resources"]


def test_every_pod_of_ours_goes_where_it_is_sent() -> None:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    where = {
        "nodeSelector": {"pool": "cpu"},
        "tolerations": [{"key": "cpu", "operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        },
    }
    objects = render(ci("kind", pods=where))
    found = [pod for pod in pods(objects) if pod.labels.get("twinstack.io/component") != "predictor"]
    assert len(found) == 7, "fronts, operations API, migration job, test pods"
    assert [pod.of for pod in found if not where.items() <= pod.spec.items()] == []
    assert [(made["kind"], it) for made in objects for it in findings(made)] == []


def test_labels_of_the_monitoring_win_over_common_ones() -> None:
    values = ci("kind", commonLabels={"release": "a"}, monitoring={"labels": {"release": "b"}})
    found = {one["kind"]: one["metadata"]["labels"]["release"] for one in render(values)}
    assert (found["PodMonitor"], found["PrometheusRule"], found["Deployment"]) == ("b", "b", "a")


def test_a_variable_of_the_user_replaces_the_one_of_the_certificates() -> None:
    given = {"SSL_CERT_FILE": "/mine", "OMP_NUM_THREADS": "3"}
    values = ci("kind", environment=given, caBundle={"configMap": "ca"})
    for pod in pods(render(values)):
        for container in pod.containers:
            names = [one["name"] for one in container["env"]]
            assert len(names) == len(set(names))
            assert given.items() <= {one["name"]: one.get("value") for one in container["env"]}.items()


def _names(release: str, values: Object) -> set[tuple[Any, ...]]:
    return {(one["kind"], one["metadata"]["name"]) for one in render(values, release=release)}


def test_two_releases_in_one_namespace_share_no_object_but_the_accounts_that_the_second_is_told_of() -> None:
    first = _names("twinstack-production-eu-west", ci("kind"))
    accounts = ["pipeline-runner", "twinstack-serving", "twinstack-console"]
    second = ci("kind", serviceAccounts={"existing": accounts})
    assert first & _names("twinstack-production-eu-east", second) == set()
    assert first & _names("twinstack-production-eu-east", ci("kind")) == {
        ("ServiceAccount", name) for name in accounts
    }


def test_the_account_that_every_namespace_has_is_not_made() -> None:
    accounts = {"service_accounts": {"serving": "default"}}
    made = render(ci("kind", config=merged(ci("kind")["config"], {"cluster": accounts})))
    assert ("ServiceAccount", "default") not in {(one["kind"], one["metadata"]["name"]) for one in made}


def test_monitors_of_two_releases_do_not_scrape_a_pod_twice() -> None:
    for made in render(ci("production-gpu"), "pod-monitors.yaml", release="other"):
        selector = made["spec"]["selector"]
        if selector["matchLabels"]["twinstack.io/component"] == "predictor":
            assert selector["matchExpressions"] == [
                {"key": "twinstack.io/twin", "operator": "In", "values": ["credit", "docs", "support"]}
            ]
        else:
            assert selector["matchLabels"]["app.kubernetes.io/instance"] == "other"


def test_servers_listen_where_a_cluster_with_ipv6_only_reaches_them() -> None:
    asked = [
        pod.containers[0]["args"]
        for pod in pods(render(ci("kind", pods={"address": "::"})))
        if pod.labels["twinstack.io/component"] in ("front", "console")
    ]
    assert len(asked) == 3
    assert all("--host=::" in arguments for arguments in asked)
