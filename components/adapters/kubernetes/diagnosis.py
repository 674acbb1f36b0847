"""What an InferenceService, its pods and their events say about readiness, in words a person can act on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.adapters.kubernetes.api import Object, condition
from components.adapters.kubernetes.inference_service import SPECIFICATION

#: `waiting` may become ready; `failing` may still mend itself; `hopeless` needs a change.
State = Literal["ready", "waiting", "failing", "hopeless"]

#: Reasons of a waiting container, and what to do about them.
WAITING = {
    "ErrImagePull": "check the image's name and digest, and the registry's pull secret",
    "ImagePullBackOff": "check the image's name and digest, and the registry's pull secret",
    "ErrImageNeverPull": "the node must hold the image already, or allow pulling",
    "CreateContainerError": "look at the pod's events",
    "CreateContainerConfigError": "make the Secret or ConfigMap that is named",
    "CrashLoopBackOff": "look at the log of the container's last run",
    "RunContainerError": "look at the pod's events",
}
#: Those that no time mends.
NEVER = {"InvalidImageName": "mend the image's name"}

#: Failures that KServe itself finds, before there is a pod.
INVALID = {
    "RuntimeDisabled": "enable the ServingRuntime, or name another with cluster.predictors",
    "NoSupportingRuntime": "install a ServingRuntime of this format, or name one with cluster.predictors",
    "RuntimeNotRecognized": "install the ServingRuntime, or name another with cluster.predictors",
    "InvalidPredictorSpec": "mend cluster.predictors",
}

#: Container that KServe puts before the server to fetch the model.
INITIALIZER = "storage-initializer"
FETCH = "check the URI, and that the service account of the serving pods holds the storage's credentials"

#: Lines of a text from Kubernetes are cut here.
LONGEST = 400


@dataclass(frozen=True)
class Finding:
    """How far something is, why, and what to do."""

    state: State
    reason: str = ""
    remedy: str = ""


def diagnose(service: Object, pods: Sequence[Object], events: Sequence[Object]) -> Finding:
    """How far an InferenceService is.

    The status of a patched service is that of before until KServe has seen the patch, and KServe does not say
    what it has seen: its `observedGeneration` counts the generations of the Deployment
    (github.com/kserve/kserve, issue 6081). So the pods decide, by the annotation of what they are made from.

    Args:
        service: The InferenceService as the server holds it.
        pods: Its pods; those of an earlier specification, which may be among them, do not count.
        events: Events of these pods and of the service.
    """
    if found := _invalid(service):
        return found
    made = _specification(service["spec"]["predictor"])
    pods = [pod for pod in pods if _specification(pod["metadata"]) == made]
    if _ready(service, pods):
        return Finding("ready")
    problems = [one for pod in pods for one in pod_problems(pod)]
    if problems:
        return _worst(problems)
    if not pods and (found := _refused(events)):
        return found
    if found := _load_failure(service):
        return found
    return Finding("waiting", _progress(service, pods))


def _worst(problems: Sequence[Finding]) -> Finding:
    order: dict[State, int] = {"hopeless": 0, "failing": 1, "waiting": 2, "ready": 3}
    return min(problems, key=lambda one: order[one.state])


def _specification(made: Mapping[str, Any]) -> str:
    return str((made.get("annotations") or {}).get(SPECIFICATION, ""))


def _ready(service: Object, pods: Sequence[Object]) -> bool:
    """Whether the service is ready, and a pod of this specification."""
    if not any(condition(pod, "Ready").get("status") == "True" for pod in pods):
        return False
    status = service.get("status") or {}
    changing = (status.get("modelStatus") or {}).get("transitionStatus") in (
        "InProgress",
        "BlockedByFailedLoad",
    )
    return condition(service, "Ready").get("status") == "True" and not changing


def _invalid(service: Object) -> Finding | None:
    # What is said of a patched service may be about what it was before.
    state: State = "hopeless" if service["metadata"].get("generation") == 1 else "failing"
    model = (service.get("status") or {}).get("modelStatus") or {}
    failure = model.get("lastFailureInfo") or {}
    if (reason := failure.get("reason", "")) in INVALID:
        return Finding(state, _said(reason, failure.get("message")), INVALID[reason])
    if model.get("transitionStatus") == "InvalidSpec":
        said = condition(service, "Ready").get("message")
        return Finding(state, _said("InvalidSpec", said), INVALID["InvalidPredictorSpec"])
    return None


def _load_failure(service: Object) -> Finding | None:
    """What KServe took from a container that ended; seen where its pod is gone already."""
    model = (service.get("status") or {}).get("modelStatus") or {}
    failure = model.get("lastFailureInfo") or {}
    if model.get("transitionStatus") == "BlockedByFailedLoad" or failure.get("reason") == "ModelLoadFailed":
        said = _said(failure.get("reason", "ModelLoadFailed"), failure.get("message"))
        return Finding("failing", said, "look at the log of the predictor's pod")
    return None


def pod_problems(pod: Object) -> Iterator[Finding]:
    """Everything that keeps a pod from running."""
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp"):
        return
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        reason = f"pod {name} cannot be scheduled: {_cut(scheduled.get('message'))}"
        # A cluster autoscaler may be bringing a node.
        yield Finding("waiting", reason, "add a node with what the pod asks for, or ask for less")
    for one in status.get("initContainerStatuses") or []:
        yield from _container_problems(name, one)
    for one in status.get("containerStatuses") or []:
        yield from _container_problems(name, one)
    if status.get("phase") == "Failed":
        said = _said(status.get("reason") or "Failed", status.get("message"))
        yield Finding("failing", f"pod {name}: {said}", "look at the pod's events")


def _container_problems(pod: str, status: Mapping[str, Any]) -> Iterator[Finding]:
    name = status["name"]
    place = f"container {name} of pod {pod}"
    waiting = (status.get("state") or {}).get("waiting") or {}
    ended = (status.get("state") or {}).get("terminated") or {}
    before = (status.get("lastState") or {}).get("terminated") or {}
    reason = waiting.get("reason", "")
    if name == INITIALIZER and (failed := _failed(ended) or _failed(before)):
        yield Finding(
            "failing", f"the storage initializer of pod {pod} cannot fetch the model: {failed}", FETCH
        )
    elif reason in NEVER:
        yield Finding("hopeless", f"{place}: {_said(reason, waiting.get('message'))}", NEVER[reason])
    elif reason in WAITING:
        said = _failed(before) if reason == "CrashLoopBackOff" else ""
        text = said or _cut(waiting.get("message"))
        yield Finding("failing", f"{place}: {_said(reason, text)}", WAITING[reason])
    elif failed := _failed(ended):
        yield Finding("failing", f"{place} ended: {failed}", WAITING["CrashLoopBackOff"])


def _failed(ended: Mapping[str, Any]) -> str:
    """How a container ended that did not end well."""
    code = ended.get("exitCode", 0)
    if not code:
        return ""
    return _said(f"{ended.get('reason') or 'Error'}, exit code {code}", ended.get("message"))


def _refused(events: Sequence[Object]) -> Finding | None:
    """Pods that were never made: quota, Pod Security, a webhook."""
    for one in events:
        if one.get("reason") == "FailedCreate":
            remedy = "look at the namespace's quota and Pod Security level"
            return Finding("failing", f"no pod can be made: {_cut(one.get('message'))}", remedy)
    return None


def _progress(service: Object, pods: Sequence[Object]) -> str:
    """What is being waited for."""
    if not pods:
        said = condition(service, "Ready").get("message") or condition(service, "PredictorReady").get(
            "message"
        )
        return f"no pod yet{f': {_cut(said)}' if said else ''}"
    running = sum((pod.get("status") or {}).get("phase") == "Running" for pod in pods)
    initial = [
        pod
        for pod in pods
        if any(
            "running" in (one.get("state") or {})
            for one in (pod.get("status") or {}).get("initContainerStatuses") or []
        )
    ]
    doing = "fetching the model" if initial else "loading the model" if running else "starting"
    return f"{doing}, {running} of {len(pods)} pods run"


def _said(reason: str, message: str | None) -> str:
    return f"{reason}: {_cut(message)}" if message else reason


def _cut(message: str | None) -> str:
    text = " ".join((message or "").split())
    return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"
