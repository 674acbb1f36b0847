"""Security contexts that Pod Security `restricted` admits; KServe's own runtimes set no seccompProfile."""

from typing import Any


def pod(*, user: int | None = None) -> dict[str, Any]:
    """Security context of a pod.

    Args:
        user: Numeric user, where the image names none that is not root.
    """
    found: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return found if user is None else {**found, "runAsUser": user, "runAsGroup": user, "fsGroup": user}


def container() -> dict[str, Any]:
    """Security context of a container. The storage initializer has what the ClusterStorageContainer says."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
