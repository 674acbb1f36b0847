"""Wait for an InferenceService, telling how far it is; the stream of changes may break at any time."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import EVENTS, INFERENCE_SERVICES, PODS, Api, Object
from components.adapters.kubernetes.diagnosis import Finding, diagnose
from components.adapters.kubernetes.inference_service import POD_LABEL
from components.shared.config.predictors import Predictors

#: Seconds of one watch: pods and events are looked at between two.
WINDOW = 10

Report = Callable[[str], None]


class NotReadyError(ClusterError):
    """A predictor did not become ready; nothing was released."""


@dataclass(frozen=True)
class Clock:
    """Time, and how it passes; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    window: int = WINDOW


def wait_until_ready(
    api: Api, name: str, settings: Predictors, report: Report, clock: Clock | None = None
) -> Object:
    """Wait until an InferenceService is ready.

    Args:
        api: The namespace.
        name: Of the InferenceService.
        settings: How long to wait, and how long a failure may last.
        report: Called when what is waited for changes.
        clock: Time.

    Raises:
        NotReadyError: It failed, was deleted, or took too long; with the reason.
        ClusterError: The server refuses, or cannot be reached.
    """
    clock = clock or Clock()
    start, failing_since, told = clock.now(), None, ""
    # What was said about an earlier try is still there for an hour.
    old = {_said(one) for one in _warnings(api, name)}
    while True:
        found, finding = _look(api, name, old)
        if finding.state == "ready":
            return found
        now = clock.now()
        if finding.reason != told:
            told = finding.reason
            report(told)
        failing_since = (failing_since or now) if finding.state == "failing" else None
        lasting = failing_since is not None and now - failing_since >= settings.failing_seconds
        left = settings.ready_seconds - (now - start)
        if finding.state == "hopeless" or lasting or left <= 0:
            raise _not_ready(name, api.namespace, finding, seconds=0 if left > 0 else settings.ready_seconds)
        _next_change(api, found, clock, left)


def _look(api: Api, name: str, old: Collection[tuple[str, str]]) -> tuple[Object, Finding]:
    found = api.get(INFERENCE_SERVICES, name)
    if found is None:
        raise NotReadyError(
            f"InferenceService {name} was deleted while it was waited for",
            where=f"namespace {api.namespace}",
            remedy="find out who deletes it, then run the stage again",
        )
    pods = api.find(PODS, labels=f"{POD_LABEL}={name}")
    events = [one for one in _warnings(api, name) if _said(one) not in old]
    return found, diagnose(found, pods, events)


def _warnings(api: Api, name: str) -> list[Object]:
    """Warnings about whatever belongs to the service."""
    warnings = api.find(EVENTS, fields="type=Warning")
    return [one for one in warnings if str(one.get("involvedObject", {}).get("name", "")).startswith(name)]


def _said(event: Object) -> tuple[str, str]:
    """An event that is said again is another."""
    return str(event["metadata"].get("uid")), str(event["metadata"].get("resourceVersion"))


def _next_change(api: Api, found: Object, clock: Clock, left: float) -> None:
    """Return when the service has changed, or after a while: its pods change without it."""
    start, window = clock.now(), max(1, min(clock.window, int(left)))
    for _ in api.watch(INFERENCE_SERVICES, found, window):
        return
    # The stream ended early: the server is restarting, or does not allow watching.
    if clock.now() - start < 1:
        clock.sleep(min(1.0, left))


def _not_ready(name: str, namespace: str, finding: Finding, *, seconds: int) -> NotReadyError:
    late = f" within {seconds} s" if seconds else ""
    return NotReadyError(
        f"predictor {name} did not become ready{late}: {finding.reason or 'no reason is given'}",
        where=f"InferenceService {name}, namespace {namespace}",
        remedy=finding.remedy or "look at the InferenceService's conditions, then run the stage again",
    )
