"""Each rule of the table finds what it is there for; the same object without the mistake passes."""

from typing import Any

import pytest

from tests.helm.rendering import merged
from tests.kubernetes.api_rules import Object, refusals

CONTAINER: Object = {"name": "a", "image": "i"}


def deployment(**pod: Any) -> Object:
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER], **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def container(**parts: Any) -> Object:
    return deployment(containers=[{**CONTAINER, **parts}])


def kind(name: str, *, metadata: Object | None = None, **parts: Any) -> Object:
    return {"apiVersion": "v1", "kind": name, "metadata": {"name": "a", **(metadata or {})}, **parts}


def labelled(**labels: str) -> Object:
    return merged(deployment(), {"spec": {"template": {"metadata": {"labels": labels}}}})


GPU = "nvidia.com/gpu"
ENV: Object = {"name": "A", "value": "b"}
KEY: Object = {"secretKeyRef": {"name": "s", "key": "k"}}
ROLE: Object = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
POD: Object = {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}
HPA: Object = {"scaleTargetRef": {}, "maxReplicas": 2}
NIGHTLY: Object = {"jobTemplate": {"spec": {"template": POD}}}
SLOW: Object = {"stabilizationWindowSeconds": 3_601}
SPREAD: Object = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (kind("Service", metadata={"name": "1a"}, spec={}), "metadata.name"),
        (kind("Service", metadata={"name": "a.b"}, spec={}), "metadata.name"),
        (kind("ConfigMap", metadata={"name": "a.-b"}), "metadata.name"),
        (kind("ConfigMap", metadata={"name": "a" * 254}), "metadata.name"),
        (kind("InferenceService", metadata={"name": "a.b"}), "metadata.name"),
        (kind("Role", metadata={"name": "a/b"}, rules=[ROLE]), "metadata.name"),
        (kind("ConfigMap", metadata={"uid": "1"}), "metadata.uid"),
        (kind("ConfigMap", status={}), "status"),
        (kind("ConfigMap", metadata={"labels": {"a": "b c"}}), "metadata.labels"),
        (kind("ConfigMap", metadata={"labels": {"a..b/c": ""}}), "metadata.labels"),
        (kind("ConfigMap", metadata={"annotations": {"a b": ""}}), "metadata.annotations"),
        (labelled(note="a" * 64), "metadata.labels"),
        (deployment(nodeSelector={"a": "-"}), "nodeSelector"),
        (container(env=[ENV, ENV]), "twice ('A',)"),
        (container(env=[{"name": "A", "value": None}]), "null"),
        (container(env=[{"name": "1A"}]), "is no name"),
        (container(env=[{"name": "A", "value": "b", "valueFrom": KEY}]), "one source"),
        (container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"key": ".."}}}]), "key '..'"),
        (container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}), "more is asked for"),
        (container(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1G"}}), "more is"),
        (container(resources={"limits": {"memory": "1 Gi"}}), "resources.memory"),
        (container(resources={"limits": {"gpu": 1}}), "no name of a resource"),
        (container(resources={"limits": {GPU: "0.5"}}), "must be whole"),
        (container(resources={"requests": {GPU: 1}}), "cannot be overcommitted"),
        (container(resources={"requests": {GPU: 1}, "limits": {GPU: 2}}), "cannot be overcommitted"),
        (container(readinessProbe={"exec": {}, "timeoutSeconds": 0}), "readinessProbe.timeoutSeconds"),
        (container(livenessProbe={"exec": {}, "successThreshold": 2}), "must be 1"),
        (container(livenessProbe={"exec": {}, "httpGet": {}}), "several handlers"),
        (container(lifecycle={"preStop": {"sleep": {"seconds": 31}}}), "preStop.sleep"),
        (container(ports=[{"containerPort": 1, "name": "a" * 16}]), "ports: name"),
        (container(volumeMounts=[{"name": "v", "mountPath": ""}]), "volumeMounts"),
        (deployment(volumes=[{"name": "v", "emptyDir": {}, "secret": {}}]), "one source"),
        (deployment(volumes=[{"name": "v" * 64, "emptyDir": {}}]), "volumes: name"),
        (
            deployment(volumes=[{"name": "v", "configMap": {"items": [{"key": "k", "path": "../k"}]}}]),
            "volumes.v",
        ),
        (deployment(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "a..b"}}]), "claimName"),
        (deployment(tolerations=[{"value": "b"}]), "tolerations: key"),
        (deployment(tolerations=[{"key": "a", "value": "b c"}]), "tolerations: value"),
        (deployment(tolerations=[{"key": "a", "operator": "Exists", "value": "b"}]), "tolerations: value"),
        (deployment(tolerations=[{"operator": "Exists", "tolerationSeconds": 1}]), "NoExecute"),
        (deployment(topologySpreadConstraints=[{**SPREAD, "topologyKey": "a b"}]), "topologySpread"),
        (deployment(topologySpreadConstraints=[SPREAD, SPREAD]), "twice"),
        (deployment(priorityClassName="A"), "priorityClassName"),
        (merged(deployment(), {"spec": {"selector": {"matchLabels": {"app": "b"}}}}), "spec.selector"),
        (kind("Job", spec={"template": {"spec": {"containers": [CONTAINER]}}}), "restartPolicy"),
        (kind("CronJob", spec={"schedule": "@TZ * * * * *", **NIGHTLY}), "schedule"),
        (kind("Service", spec={"ports": [{"port": 1}, {"port": 2}]}), "several need names"),
        (kind("PodDisruptionBudget", spec={"minAvailable": 1, "maxUnavailable": 1}), "minAvailable or"),
        (kind("HorizontalPodAutoscaler", spec={**HPA, "minReplicas": 3}), "minReplicas"),
        (
            kind("HorizontalPodAutoscaler", spec={**HPA, "behavior": {"scaleDown": SLOW}}),
            "spec.behavior",
        ),
        (kind("NetworkPolicy", spec={"ingress": [{"from": [{}]}]}), "from.0"),
        (
            kind("NetworkPolicy", spec={"egress": [{"to": [{"ipBlock": {}, "podSelector": {}}]}]}),
            "to.0",
        ),
        (kind("NetworkPolicy", spec={"ingress": [{"ports": [{"port": 9, "endPort": 8}]}]}), "ports.0"),
        (kind("Role", rules=[{**ROLE, "verbs": []}]), "rules"),
        (kind("RoleBinding", subjects=[{"kind": "ServiceAccount", "name": "a"}]), "without a namespace"),
        (kind("PriorityClass", metadata={"name": "system-a"}, value=1), "the system's"),
        (kind("PriorityClass", value=1_000_000_001), "the system's"),
        (kind("ConfigMap", data={"..a": ""}), "key ..a"),
        (kind("ConfigMap", data={"a": "é" * 600_000}), "more than 1 MiB"),
        (
            kind("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}}),
            "access modes",
        ),
        (
            kind("LimitRange", spec={"limits": [{"default": {"cpu": 1}, "defaultRequest": {"cpu": 2}}]}),
            "spec.limits",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_found(made: Object, said: str) -> None:
    assert said in "\n".join(refusals(made))


@pytest.mark.parametrize(
    "made",
    [
        kind(
            "ConfigMap",
            metadata={"labels": {"a.b/C_d": ""}, "annotations": {"A/b": "any text"}},
            data={".a": ""},
        ),
        kind(
            "Service",
            spec={"ports": [{"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"}]} | {"ports": []},
        ),
        container(env=[ENV, {"name": "B", "valueFrom": KEY}], ports=[{"containerPort": 1, "name": "http1"}]),
        container(resources={"requests": {"cpu": "1", GPU: "2"}, "limits": {"cpu": "1000m", GPU: 2}}),
        container(lifecycle={"preStop": {"sleep": {"seconds": 30}}}),
        deployment(tolerations=[{"operator": "Exists"}], nodeSelector={"a.b/c": ""}),
        deployment(topologySpreadConstraints=[SPREAD, {**SPREAD, "topologyKey": "host"}]),
        kind("CronJob", spec={"schedule": "0 3 * * *", **NIGHTLY}),
        kind("HorizontalPodAutoscaler", spec={**HPA, "minReplicas": 2}),
        kind("Role", metadata={"name": "a:b"}, rules=[ROLE]),
    ],
)
def test_what_is_right_passes(made: Object) -> None:
    assert refusals(made) == []
