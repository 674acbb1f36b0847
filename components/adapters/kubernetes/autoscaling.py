"""What scales a predictor in mode Standard: a HorizontalPodAutoscaler on CPU, or a ScaledObject of KEDA.

The chart gives the predictors that it pins the same (helm/twinstack/templates/_scaling.tpl), and a test
compares the two. KServe's own HorizontalPodAutoscaler drops `behavior` (kserve issue 6246): pods would not
go slowly.
"""

from typing import Any

from components.adapters.kubernetes.api import AUTOSCALERS, SCALED_OBJECTS, Api, Object, Resource
from components.shared.config.cluster import Cluster
from components.shared.config.predictors import PredictorWork
from components.shared.releases import Release

#: What may scale a predictor; none where it has as many pods at the most as at the least.
KINDS = {"HorizontalPodAutoscaler": AUTOSCALERS, "ScaledObject": SCALED_OBJECTS}

#: Annotation by which KEDA holds a number of pods: the first is needed to see that the model loads.
PAUSED = "autoscaling.keda.sh/paused-replicas"

#: Routes on which no twin is asked, and how long a request keeps a pod awake.
ASIDE, LATELY = "health|metrics|models|other", "2m"

#: Roles in which a release may be asked beside the champion.
BESIDE = "canary|shadow|fallback"


def scaled(work: PredictorWork, settings: Cluster) -> bool:
    """Whether something beside KServe scales such a predictor."""
    return work.max_replicas > work.replicas and settings.deployment_mode == "Standard"


def autoscaler(
    release: Release, service: Object, uid: str, settings: Cluster, *, awake: bool = False
) -> Object | None:
    """What scales a release's predictor; None where nothing does.

    Args:
        release: What the predictor answers for.
        service: Its InferenceService as it was applied.
        uid: Of the InferenceService, which owns the object: it goes with it.
        settings: Bounds and targets.
        awake: Whether one pod is held where none may run.
    """
    work = settings.predictor(release.twin, release.kind)
    if not scaled(work, settings):
        return None
    by_requests = (work.scaling.by or ("cpu" if release.kind == "classic" else "requests")) == "requests"
    made = _scaled_object(release, service, settings, work) if by_requests else _cpu(service, work)
    metadata = service["metadata"]
    owner = {key: service[key] for key in ("apiVersion", "kind")} | {"name": metadata["name"], "uid": uid}
    held = {PAUSED: "1"} if awake and by_requests and work.replicas == 0 else {}
    made["metadata"] = {
        **{key: metadata[key] for key in ("name", "namespace", "labels")},
        **({"annotations": held} if held else {}),
        "ownerReferences": [owner],
    }
    return made


def applied(api: Api, wanted: Object | None, name: str, *, force: bool) -> None:
    """Make what scales a predictor be what is wanted, and nothing else.

    Raises:
        ClusterError: The cluster refuses, or lacks KEDA.
    """
    kind = wanted["kind"] if wanted else ""
    for other, resource in KINDS.items():
        if other != kind and (left := _ours(api, resource, name)):
            api.delete(resource, left)
    # Last: KEDA refuses a Deployment that something else scales.
    if wanted:
        api.apply(KINDS[kind], wanted, force=force)


def _ours(api: Api, resource: Resource, name: str) -> Object | None:
    """An object of the name that an InferenceService of ours owns."""
    found = api.get(resource, name)
    owners = (found or {}).get("metadata", {}).get("ownerReferences") or []
    return found if any(one.get("kind") == "InferenceService" for one in owners) else None


def _target(service: Object) -> dict[str, str]:
    """The Deployment that KServe makes."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{service['metadata']['name']}-predictor"}


def _behavior(work: PredictorWork) -> dict[str, Any]:
    """Pods go slowly: after a time of less load, at most a quarter, or one, a minute."""
    return {
        "scaleDown": {
            "stabilizationWindowSeconds": work.scaling.down_seconds,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 25, "periodSeconds": 60},
                {"type": "Pods", "value": 1, "periodSeconds": 60},
            ],
        }
    }


def _cpu(service: Object, work: PredictorWork) -> Object:
    target = {"type": "Utilization", "averageUtilization": work.scaling.cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {
            "scaleTargetRef": _target(service),
            "minReplicas": work.replicas,
            "maxReplicas": work.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": _behavior(work),
        },
    }


def _scaled_object(release: Release, service: Object, settings: Cluster, work: PredictorWork) -> Object:
    scaling, name = work.scaling, service["metadata"]["name"]
    # vLLM has no metrics at zero pods: the fronts' wake the first.
    in_flight = _in_flight(release, settings.namespace, scaling.requests_per_replica)
    triggers = [
        _trigger("front-asked", _asked(release, settings.namespace), 1, settings),
        _trigger("front-in-flight", in_flight, scaling.requests_per_replica, settings),
    ]
    if release.kind == "llm":
        waiting = f'sum(vllm:num_requests_waiting{{namespace="{settings.namespace}",pod=~"{name}-.+"}})'
        triggers.append(_trigger("vllm-waiting", waiting, scaling.waiting_per_replica, settings))
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "spec": {
            "scaleTargetRef": _target(service),
            "minReplicaCount": work.replicas,
            "maxReplicaCount": work.max_replicas,
            "pollingInterval": 15,
            "cooldownPeriod": scaling.down_seconds,
            # Where Prometheus is away, everything stays as it is.
            "fallback": {
                "failureThreshold": 3,
                "replicas": max(1, work.replicas),
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(work)}},
            "triggers": triggers,
        },
    }


def _in_flight(release: Release, namespace: str, most: int) -> str:
    """Requests in hand at the fronts that ask this model version.

    A champion is given them all. What is asked beside it gets a share that is not known here: one pod wakes,
    and more come by the model server's own queue. A version that only waits for a rollback is given none.
    """
    in_hand = f'twinstack_requests_in_flight{{namespace="{namespace}",route!~"{ASIDE}"}}'

    def of(roles: str) -> str:
        return f"sum({in_hand} and on (pod) {_info(release, namespace, roles)})"

    return f"{of('champion')} or clamp_max({of(BESIDE)}, {most})"


def _asked(release: Release, namespace: str) -> str:
    """1 where the fronts that ask this model version were asked of late, 0 where not.

    Without a pod a request fails, or is answered by the fallback, long before a gauge of requests in hand is
    read. A counter's first value counts, which `increase` does not see.
    """
    total = f'twinstack_request_total{{namespace="{namespace}",twin="{release.twin}",route!~"{ASIDE}"}}'
    risen = f"(increase({total}[{LATELY}]) > 0 or ({total} > 0 unless {total} offset {LATELY}))"
    return f"sum({risen} and on (pod) {_info(release, namespace, f'champion|{BESIDE}')}) > bool 0"


def _info(release: Release, namespace: str, roles: str) -> str:
    """A series of each front that has the model version open in one of the roles."""
    return (
        f'twinstack_release_info{{namespace="{namespace}",twin="{release.twin}",'
        f'model_version="{release.model_version}",role=~"{roles}"}}'
    )


def _trigger(name: str, query: str, target: int, settings: Cluster) -> dict[str, Any]:
    """A Prometheus trigger of KEDA."""
    prometheus = settings.prometheus
    made: dict[str, Any] = {
        "type": "prometheus",
        "name": name,
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": prometheus.address,
            "query": query,
            "threshold": str(target),
            "activationThreshold": "0",
        },
    }
    if prometheus.authentication:
        made["authenticationRef"] = {"name": prometheus.authentication}
    return made
