"""The limit of what released predictors may take together, held before one is made."""

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import INFERENCE_SERVICES, Api, Object
from components.adapters.kubernetes.inference_service import MANAGED_BY
from components.shared.config.predictors import Predictors


def require_room(api: Api, wanted: Object, settings: Predictors) -> None:
    """Refuse a predictor whose accelerators go beyond the limit; one that takes no more than before may stay.

    Two stages that count in the same moment do not see each other: the namespace's quota holds then.

    Args:
        api: The namespace, whose predictors of every twin count.
        wanted: The InferenceService that is to be applied.
        settings: The limit.

    Raises:
        ClusterError: There is no room, or the cluster refuses.
    """
    most, asked = settings.max_gpus, gpus(wanted)
    if most is None or not asked:
        return
    found = api.find(INFERENCE_SERVICES, labels=f"{MANAGED_BY}=twinstack")
    held = {one["metadata"]["name"]: gpus(one) for one in found}
    name = wanted["metadata"]["name"]
    if asked <= held.pop(name, 0) or asked + sum(held.values()) <= most:
        return
    others = ", ".join(f"{one} {number}" for one, number in sorted(held.items()) if number) or "none"
    raise ClusterError(
        f"{name} may take {asked} accelerators at its largest, and cluster.predictors.max_gpus allows {most} "
        f"in all; taken: {others}",
        where=f"inferenceservices in namespace {api.namespace}",
        remedy="lower max_replicas, gpus or kept of cluster.predictors, take a release out of the traffic, "
        "or raise the limit (limits.gpus of the chart)",
    )


def gpus(service: Object) -> int:
    """Accelerators that an InferenceService of ours takes at its largest: the resources with a domain."""
    predictor = service.get("spec", {}).get("predictor", {})
    limits = predictor.get("model", {}).get("resources", {}).get("limits", {})
    a_pod = sum(int(number) for resource, number in limits.items() if "/" in resource)
    return a_pod * int(predictor.get("maxReplicas") or 1)
