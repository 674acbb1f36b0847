"""How a pod with one of KServe's model servers is asked, as the chart asks the pinned ones."""

import math
from typing import Any

from components.shared.config.cluster import Cluster

#: Port of KServe's model servers. Its runtimes declare none, and what Prometheus reads is found by declared
#: ports (`__meta_kubernetes_pod_container_port_number`, which a PodMonitor's `portNumber` selects).
PORT = 8080

#: Seconds between two questions, and for an answer.
PERIOD, PATIENCE = 10, 5


def probes(settings: Cluster, model: str) -> dict[str, dict[str, Any]]:
    """Probes of the container.

    Without the one of readiness KServe asks only whether the port is open, which it is long before vLLM has
    its weights; without the one of liveness a server that hangs is never started anew.

    Args:
        settings: Mode, and the longest wait for a model. Knative asks at its own pace when a pod starts.
        model: Name that the model server knows it by.
    """
    found = {"readinessProbe": _probe(f"/v2/models/{model}/ready", 3)}
    if settings.deployment_mode == "Standard":
        tries = math.ceil(settings.predictors.ready_seconds / PERIOD)
        found["startupProbe"] = _probe("/v2/health/ready", tries)
        found["livenessProbe"] = _probe("/v2/health/live", 6)
    return found


def _probe(path: str, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": PERIOD,
        "timeoutSeconds": PATIENCE,
        "failureThreshold": failures,
    }
