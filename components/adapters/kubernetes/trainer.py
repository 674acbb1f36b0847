"""Start a TrainJob and follow it: its log, its restarts, and why it failed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import PODS, TRAIN_JOBS, Api, Object, condition
from components.adapters.kubernetes.diagnosis import pod_problems
from components.adapters.kubernetes.following import Clock
from components.shared.config.training import Training

Report = Callable[[str], None]

#: Labels of the pods of a TrainJob, and of the first of a Job.
OF_JOB, INDEX = "jobset.sigs.k8s.io/jobset-name", "batch.kubernetes.io/job-completion-index"


class TrainingError(ClusterError):
    """A TrainJob did not complete; its checkpoint stays, so that running again goes on there."""


@dataclass
class Log:
    """Lines of the first process that were not told yet, pod after pod: a restart is another pod."""

    tell: Report
    last: dict[str, str] = field(default_factory=dict)

    def follow(self, api: Api, pods: list[Object]) -> None:
        """Tell what is new."""
        for pod in pods:
            if pod["metadata"].get("labels", {}).get(INDEX) != "0":
                continue
            name = pod["metadata"]["name"]
            since = self.last.get(name, "")
            for line in api.logs(name, since=since):
                time, _, text = line.partition(" ")
                # The server's `sinceTime` has whole seconds: what was told comes again.
                if time > since:
                    self.last[name] = time
                    self.tell(text)


def start(api: Api, body: Object, report: Report, clock: Clock | None = None) -> None:
    """Make a TrainJob, or find the one of an interrupted stage; one that failed is made anew.

    Raises:
        ClusterError: The cluster refuses.
    """
    name = body["metadata"]["name"]
    clock = clock or Clock()
    found = api.get(TRAIN_JOBS, name)
    if found and condition(found, "Failed").get("status") == "True":
        api.delete(TRAIN_JOBS, found)
        while (left := api.get(TRAIN_JOBS, name)) and left["metadata"]["uid"] == found["metadata"]["uid"]:
            clock.sleep(1.0)
        found = None
    if found:
        report(f"TrainJob {name} is there already")
        return
    api.apply(TRAIN_JOBS, body)
    report(f"TrainJob {name} is applied")


def follow(
    api: Api, body: Object, settings: Training, tell: Report, report: Report, clock: Clock | None = None
) -> None:
    """Follow a TrainJob until it is complete, then delete it.

    Args:
        api: The namespace.
        body: What was applied.
        settings: How long to wait.
        tell: Gets the log of the first process, line by line.
        report: Told what is waited for.
        clock: Time.

    Raises:
        TrainingError: It failed, was deleted, or took too long; with the reason.
        ClusterError: The server refuses, or cannot be reached.
    """
    clock = clock or Clock()
    name, log, told, start_time = body["metadata"]["name"], Log(tell), "", clock.now()
    while True:
        found = api.get(TRAIN_JOBS, name)
        if found is None:
            raise TrainingError(
                f"TrainJob {name} was deleted", where=_where(api, name), remedy="run it again"
            )
        pods = api.find(PODS, labels=f"{OF_JOB}={name}")
        log.follow(api, pods)
        if condition(found, "Complete").get("status") == "True":
            api.delete(TRAIN_JOBS, found)
            return
        reason = _reason(found, pods)
        if condition(found, "Failed").get("status") == "True":
            raise TrainingError(
                f"TrainJob {name} failed: {reason}",
                where=_where(api, name),
                remedy="mend it and run again: training goes on from its last checkpoint",
            )
        if reason != told:
            told = reason
            report(reason)
        left = settings.wait_seconds - (clock.now() - start_time)
        if left <= 0:
            raise TrainingError(
                f"TrainJob {name} is not complete after {settings.wait_seconds} s: {reason}",
                where=_where(api, name),
                remedy="look at the queue and the pods; running again follows the same TrainJob",
            )
        begun = clock.now()
        for _ in api.watch(TRAIN_JOBS, found, max(1, min(clock.window, int(left)))):
            break
        if clock.now() - begun < 1:
            clock.sleep(1.0)


def _reason(found: Object, pods: list[Object]) -> str:
    """What keeps a TrainJob from going on, or how far it is."""
    problems = [one.reason for pod in pods for one in pod_problems(pod)]
    failed = condition(found, "Failed")
    said = str(failed.get("message") or failed.get("reason") or "")
    if problems:
        return "; ".join([said, *dict.fromkeys(problems)]).strip("; ")
    if said:
        return said
    if condition(found, "Suspended").get("status") == "True":
        return "suspended, it waits for its queue"
    running = sum((pod.get("status") or {}).get("phase") == "Running" for pod in pods)
    return f"{running} of {len(pods)} pods run" if pods else "no pod yet"


def _where(api: Api, name: str) -> str:
    return f"TrainJob {name}, namespace {api.namespace}"
