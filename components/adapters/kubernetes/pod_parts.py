"""Parts of pods, whatever kind of object makes them: what a container asks for, and where it may run."""

from typing import Any

from components.shared.config.cluster import Cluster
from components.shared.config.nodes import Pool
from components.shared.config.predictors import PredictorWork
from components.shared.config.training import Training

#: Resource name of an accelerator where no pool says another.
ACCELERATOR = "nvidia.com/gpu"


def resources(settings: Cluster, work: PredictorWork | Training) -> dict[str, dict[str, str]]:
    """Requests and limits of a container; accelerators are never overcommitted, so both name the same."""
    requests: dict[str, str] = {"cpu": work.cpu, "memory": work.memory}
    limits: dict[str, str] = {"cpu": work.cpu_limit, "memory": work.memory_limit}
    if work.gpus:
        pool = _pool(settings, work)
        accelerator = pool.accelerator if pool else ACCELERATOR
        requests[accelerator] = limits[accelerator] = str(work.gpus)
    return {"requests": requests, "limits": limits}


def placed(settings: Cluster, work: PredictorWork | Training) -> dict[str, Any]:
    """Nodes of the pool, and the taints on them; nothing without a pool."""
    if (pool := _pool(settings, work)) is None:
        return {}
    found: dict[str, Any] = {"nodeSelector": dict(pool.node_labels)}
    if pool.tolerations:
        found["tolerations"] = [
            one.model_dump(exclude_defaults=True) | {"operator": one.operator} for one in pool.tolerations
        ]
    return found


def spread(topology_key: str, labels: dict[str, str]) -> dict[str, Any]:
    """Pods of the labels on several nodes or zones, where there is room; nothing without a key."""
    if not topology_key:
        return {}
    constraint = {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    return {"topologySpreadConstraints": [constraint]}


def _pool(settings: Cluster, work: PredictorWork | Training) -> Pool | None:
    return settings.pools[work.pool] if work.pool else None
