"""What the API server says when it refuses, as errors that a person can act on."""

from collections.abc import Mapping
from enum import IntEnum

import httpx

from components.shared.errors import ServerRefusedError


class Status(IntEnum):
    """HTTP codes that mean something special here."""

    OK = 200
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    MISSING = 404
    CONFLICT = 409
    INVALID = 422


#: Codes after which the same call may succeed: overload, and a server that restarts.
PASSING = frozenset({408, 429, 500, 502, 503, 504})

#: Longest wait that a server may ask for, in seconds.
LONGEST_WAIT = 30.0


class ClusterError(ServerRefusedError):
    """The cluster refuses what was asked of it, or cannot be reached."""

    exit_code = 14
    kind = "cluster_error"


class FieldConflictError(ClusterError):
    """Another field manager owns a field that was to be set."""


def wait_of(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait."""
    asked = headers.get("retry-after", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdigit() else 0.0


def explained(answer: httpx.Response, verb: str, kind: str, namespace: str) -> ClusterError:
    """The refusal with the server's own words.

    Args:
        answer: The answer.
        verb: Verb in RBAC's terms.
        kind: Plural name of the resource.
        namespace: Where.
    """
    status = _status(answer)
    said = str(status.get("message") or answer.text[:300] or answer.reason_phrase)
    code, where = answer.status_code, f"{verb} {kind} in namespace {namespace}"
    if code in (Status.UNAUTHORIZED, Status.FORBIDDEN):
        return ClusterError(
            f"Kubernetes does not allow it: {said}",
            where=where,
            remedy=f"let a Role give verb '{verb}' on '{kind}' to the service account of the pipelines, "
            "see docs/explanation/release-on-a-cluster.md",
            code=code,
        )
    if code == Status.CONFLICT and (owners := _owners(status)):
        return FieldConflictError(
            f"fields belong to somebody else: {owners}",
            where=where,
            remedy="undo that change, or take the fields with cluster.predictors.force",
            code=code,
        )
    if code in (Status.BAD_REQUEST, Status.INVALID):
        remedy = "the object is wrong for this version of the cluster: look at the named field"
        return ClusterError(f"Kubernetes refuses the object: {said}", where=where, remedy=remedy, code=code)
    if code == Status.MISSING and verb == "patch":
        remedy = "make the namespace, and install the controller that brings this kind"
        return ClusterError(f"Kubernetes does not know it: {said}", where=where, remedy=remedy, code=code)
    return ClusterError(
        f"Kubernetes answers {code}: {said}", where=where, remedy="running again is safe", code=code
    )


def _status(answer: httpx.Response) -> dict[str, object]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _owners(status: Mapping[str, object]) -> str:
    """Fields and their managers, of a conflict in server-side apply."""
    details = status.get("details")
    causes = details.get("causes") or [] if isinstance(details, dict) else []
    found = [
        f"{one.get('field')} ({one.get('message')})"
        for one in causes
        if one.get("reason") == "FieldManagerConflict"
    ]
    return ", ".join(found)
