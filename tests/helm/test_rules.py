"""Rules that everything rendered keeps, from every values file."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from kubernetes.utils.quantity import parse_quantity
from prometheus_client import CollectorRegistry

from components.adapters.kubernetes import permissions
from components.adapters.kubernetes.inference_service import COMPONENT
from components.shared.config import Config, parse
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import VALUES
from components.shared.metrics.table import TABLE, exposed
from tests.helm.rendering import CI, NAMESPACE, ROOT, Object, Pod, ci, pods, render
from tests.helm.served import serves
from tests.observability.boards import metrics_in
from tests.trees import texts_of

RENDERED: dict[str, list[Object]] = {name: render(ci(name)) for name in CI}
PODS = [
    pytest.param(name, pod, id=f"{name}-{pod.of}")
    for name, objects in RENDERED.items()
    for pod in pods(objects)
]
EACH = pytest.mark.parametrize("name", CI)

#: What is there without the chart: made by Kubernetes, Kubeflow or the person who installs.
GIVEN_ACCOUNTS = {"default"}

#: Metrics of others: vLLM's own, documented in its manual, and as KServe's PodMonitor renames it.
FOREIGN = {"vllm:num_requests_waiting", "kserve_vllm:num_requests_waiting"}


@pytest.mark.parametrize(("name", "pod"), PODS)
class TestPod:
    def test_passes_pod_security_restricted(self, name: str, pod: Pod) -> None:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & {key for key, on in pod.spec.items() if on}
        allowed = {"configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim", "csi", "name"}
        assert {key for volume in pod.spec.get("volumes", []) for key in volume} <= allowed
        for container in pod.containers:
            security = {**pod.spec.get("securityContext", {}), **container["securityContext"]}
            assert security["runAsNonRoot"] is True
            assert security["runAsUser"] > 0
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert security["allowPrivilegeEscalation"] is False
            # KServe's own container writes caches; `restricted` says nothing about the file system.
            assert security.get("readOnlyRootFilesystem") or container["name"] == "storage-initializer"
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert not [port for port in container.get("ports", []) if "hostPort" in port]

    def test_says_what_it_needs_and_the_most_it_may_take(self, name: str, pod: Pod) -> None:
        for container in pod.containers:
            for part in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][part]), part
            limits = container["resources"]["limits"]
            for resource, wanted in container["resources"]["requests"].items():
                assert parse_quantity(wanted) <= parse_quantity(limits[resource]), resource

    def test_has_a_token_of_kubernetes_only_where_it_talks_to_it_and_no_service_links(
        self, name: str, pod: Pod
    ) -> None:
        if pod.of.startswith("ServingRuntime"):  # leaves both to the InferenceService
            return
        groups = {
            group
            for made in RENDERED[name]
            if (made["kind"], made["metadata"]["name"]) == ("Role", "twinstack-console")
            for rule in made["rules"]
            for group in rule["apiGroups"]
        }
        talks = pod.labels["twinstack.io/component"] == "console" and "serving.kserve.io" in groups
        assert pod.spec["automountServiceAccountToken"] is talks
        assert pod.spec["enableServiceLinks"] is False

    def test_mounts_what_it_declares(self, name: str, pod: Pod) -> None:
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
        mounts = [mount for container in pod.containers for mount in container.get("volumeMounts", [])]
        assert {mount["name"] for mount in mounts} == volumes
        for container in pod.containers:
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths))
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names))


NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


@EACH
def test_names_and_labels_are_what_an_api_server_takes(name: str) -> None:
    for made in RENDERED[name]:
        assert NAME.fullmatch(made["metadata"]["name"])
        assert len(made["metadata"]["name"]) <= 63
        assert [value for value in made["metadata"]["labels"].values() if not LABEL.fullmatch(value)] == []
        assert all(isinstance(value, str) for value in made["metadata"].get("annotations", {}).values())


@EACH
def test_images_have_a_tag_or_a_digest(name: str) -> None:
    images = [it["image"] for pod in pods(RENDERED[name]) for it in pod.containers if "image" in it]
    pattern = r".+@sha256:[0-9a-f]{64}" if name in ("production-gpu", "air-gapped") else r".+(:[\w.-]+)"
    assert [image for image in images if not re.fullmatch(pattern, image) or image.endswith(":latest")] == []


def test_production_takes_every_image_from_its_registry() -> None:
    containers = [it for pod in pods(RENDERED["production-gpu"]) for it in pod.containers]
    images = [it["image"] for it in containers if "image" in it]
    assert len(images) >= 10
    assert {image.split("/")[0] for image in images} == {"registry.example.org"}
    runtimes = {one["metadata"]["name"] for one in _of(RENDERED["production-gpu"], "ServingRuntime")}
    # KServe's own container has the image of KServe's configuration.
    bare = [it for it in containers if "image" not in it and it.get("name") != "storage-initializer"]
    assert {it["runtime"] for it in bare} <= runtimes


def _of(objects: list[Object], *kinds: str) -> list[Object]:
    return [made for made in objects if made["kind"] in kinds]


@EACH
def test_no_role_has_a_wildcard_or_reads_every_secret(name: str) -> None:
    for role in _of(RENDERED[name], "Role", "ClusterRole"):
        assert role["kind"] == "Role"
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "secrets" not in rule["resources"] or rule["resourceNames"]


def test_pipelines_may_do_what_the_stages_do_and_no_more() -> None:
    def granted(**rbac: bool) -> set[tuple[str, str, str]]:
        predictors = {"cluster": {"predictors": {"classic": {"in_front": False}}}}
        (role, *_) = render(ci("minimal", config=predictors, rbac={"workflow": False, **rbac}), "roles.yaml")
        assert role["metadata"]["name"] == "twinstack-pipelines"
        return {
            (group, resource, verb)
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def needed(*rules: permissions.Rule) -> set[tuple[str, str, str]]:
        return {(rule.group, rule.resource, verb) for rule in rules for verb in rule.verbs}

    assert granted(trainer=False) == needed(*permissions.RELEASE)
    assert granted(trainer=True) == needed(*permissions.RELEASE, *permissions.FINETUNE)


@EACH
def test_every_service_and_every_budget_selects_a_pod(name: str) -> None:
    labels = [pod.labels for pod in pods(RENDERED[name])]
    selectors = [made["spec"]["selector"] for made in _of(RENDERED[name], "Service")]
    selectors += [
        made["spec"]["selector"]["matchLabels"] for made in _of(RENDERED[name], "PodDisruptionBudget")
    ]
    selectors += [made["spec"]["selector"]["matchLabels"] for made in _of(RENDERED[name], "Deployment")]
    selectors += [made["spec"]["selector"]["matchLabels"] for made in _of(RENDERED[name], "PodMonitor")]
    labels.append({COMPONENT: "predictor"})  # those that stage release makes
    for selector in selectors:
        assert [one for one in labels if selector.items() <= one.items()], selector


def _accounts(objects: list[Object]) -> Iterator[str]:
    yield from (pod.spec["serviceAccountName"] for pod in pods(objects) if "serviceAccountName" in pod.spec)
    for binding in _of(objects, "RoleBinding"):
        yield from (one["name"] for one in binding["subjects"] if one["namespace"] == NAMESPACE)


@EACH
def test_every_service_account_is_there(name: str) -> None:
    made = {one["metadata"]["name"] for one in _of(RENDERED[name], "ServiceAccount")}
    wanted = set(_accounts(RENDERED[name])) - GIVEN_ACCOUNTS
    if not ci(name).get("serviceAccounts", {}).get("create", True):
        assert made == set()
        assert wanted <= {"twinstack-serving"}
        return
    assert wanted <= made


@EACH
def test_every_role_binding_names_a_role_of_the_chart(name: str) -> None:
    roles = {one["metadata"]["name"] for one in _of(RENDERED[name], "Role")}
    assert {one["roleRef"]["name"] for one in _of(RENDERED[name], "RoleBinding")} == roles


@EACH
def test_every_secret_is_one_that_the_values_name(name: str) -> None:
    values = ci(name)
    known: dict[str, set[str] | None] = {}
    for secret in values.get("secrets", []):
        external = secret.get("external")
        known[secret["name"]] = set(external["data"]) if external else None
    for made in _of(RENDERED[name], "ExternalSecret"):
        named = made["metadata"]["name"]
        if "annotations" in made["metadata"]:  # what the hook brings for itself
            known[named] = known[named.removeprefix("twinstack-migration-")]
        assert known[named] == {one["secretKey"] for one in made["spec"]["data"]}
    pull = set(values["config"].get("cluster", {}).get("images", {}).get("pull_secrets", []))
    for pod in pods(RENDERED[name]):
        assert {one["name"] for one in pod.spec.get("imagePullSecrets", [])} <= pull
        for container in pod.containers:
            for variable in container.get("env", []):
                if source := variable.get("valueFrom", {}).get("secretKeyRef"):
                    keys = known[source["name"]]
                    assert keys is None or source["key"] in keys
        for volume in pod.spec.get("volumes", []):
            if "secret" in volume:
                assert volume["secret"]["secretName"] in known


@EACH
def test_every_config_map_and_its_keys_are_there(name: str) -> None:
    made = {one["metadata"]["name"]: set(one["data"]) for one in _of(RENDERED[name], "ConfigMap")}
    given = {ci(name).get("caBundle", {}).get("configMap", "")}
    for pod in pods(RENDERED[name]):
        for volume in pod.spec.get("volumes", []):
            if (source := volume.get("configMap")) and source["name"] not in given:
                assert {item["key"] for item in source["items"]} == made[source["name"]]


@EACH
def test_the_rendered_configuration_is_valid(name: str) -> None:
    for made in _of(RENDERED[name], "ConfigMap"):
        if "twinstack.yaml" in made["data"]:
            found = _loaded(made["data"]["twinstack.yaml"], ci(name))
            assert found.cluster.namespace == NAMESPACE
            assert set(found.twins) == set(ci(name)["config"]["twins"])


def _loaded(text: str, values: Object) -> Config:
    """The configuration as a pod reads it, with stand-ins for what comes from secrets."""
    with pytest.MonkeyPatch.context() as environment:
        for secret in values.get("secrets", []):
            for variable in secret.get("env", {}):
                if variable.startswith("TWINSTACK_"):
                    environment.setenv(variable, "mongodb://user@host/twinstack")
        return parse(json.dumps(yaml.safe_load(text)))


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Routes of the operations API, from the OpenAPI that it serves."""
    from components.console.app import made
    from components.console.console import Console
    from components.shared.config import load

    config = load(ROOT / "twinstack.yaml").model_copy(update={"state": str(tmp_path_factory.mktemp("state"))})
    found: dict[str, Any] = made(Console(config, ROOT / "twinstack.yaml")).openapi()["paths"]
    return found


def test_the_console_is_probed_scraped_and_told_at_routes_that_it_serves(operations: dict[str, Any]) -> None:
    objects = RENDERED["production-gpu"]
    (deployment,) = _of(objects, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert "get" in operations[container[probe]["httpGet"]["path"]]
    (alerts,) = _of(objects, "AlertmanagerConfig")
    url = alerts["spec"]["receivers"][0]["webhookConfigs"][0]["url"]
    assert "post" in operations[urlsplit(url).path]
    paths = {it["spec"]["podMetricsEndpoints"][0]["path"] for it in _of(objects, "PodMonitor")}
    assert paths == {"/metrics"} <= set(operations)


@EACH
def test_probes_of_fronts_and_predictors_hit_routes_that_are_served(name: str) -> None:
    probed = 0
    for pod in pods(RENDERED[name]):
        if not pod.of.startswith("InferenceService"):
            continue
        for container in pod.containers:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    path = container[probe]["httpGet"]["path"]
                    assert serves("GET", path), path
                    probed += 1
    assert probed or not _of(RENDERED[name], "InferenceService")


def test_every_metric_that_autoscaling_asks_for_is_exposed() -> None:
    known = {series for metric in TABLE for series in exposed(metric)} | FOREIGN
    Instruments(CollectorRegistry())  # the table is one that Prometheus takes
    kinds = ("ScaledObject", "LLMInferenceService")
    queries = [query for objects in RENDERED.values() for query in texts_of("query", _of(objects, *kinds))]
    asked = {found for query in queries for found in metrics_in(query)}
    asked |= {found for query in queries for found in re.findall(r"[a-z_]+:[a-z_]+(?=\{)", query)}
    ours = {"twinstack_requests_in_flight", "twinstack_queue_depth", "twinstack_request_total"}
    assert asked == ours | FOREIGN
    assert asked <= known
    labels = {
        value
        for query in queries
        for found in re.findall(r'route!~"([^"]+)"', query)
        for value in found.split("|")
    }
    assert labels <= set(VALUES["route"])


@EACH
def test_everything_autoscaled_exists(name: str) -> None:
    services = {made["metadata"]["name"]: made for made in _of(RENDERED[name], "InferenceService")}
    scalers = _of(RENDERED[name], "ScaledObject", "HorizontalPodAutoscaler")
    scaled = [made["spec"]["scaleTargetRef"]["name"].removesuffix("-predictor") for made in scalers]
    named = "serving.kserve.io/autoscalerClass"
    assert sorted(scaled) == sorted(
        name for name, made in services.items() if made["metadata"]["annotations"].get(named) == "external"
    )
    for service, made in zip(scaled, scalers, strict=True):
        most = made["spec"].get("maxReplicaCount") or made["spec"]["maxReplicas"]
        assert services[service]["spec"]["predictor"]["maxReplicas"] == most


@EACH
def test_the_deployment_mode_is_always_explicit(name: str) -> None:
    mode = ci(name)["config"].get("cluster", {}).get("deployment_mode", "Standard")
    for made in _of(RENDERED[name], "InferenceService"):
        assert made["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == mode
