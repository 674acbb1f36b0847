"""Runs on a Kubeflow Pipelines server, told as they go."""

import time
from collections.abc import Sequence
from typing import get_args

from components.adapters.kfp.access import PASSING
from components.adapters.kfp.server import KfpServer, Seen, Task
from components.shared.config.names import StageName
from components.shared.errors import PipelinesError, RunFailedError
from pipelines.narrator import Narrator
from pipelines.submission import Submitted

#: Looks in a row that may fail before following ends; the run goes on.
FAILED_LOOKS = 10

STAGES = frozenset(get_args(StageName))


def follow_all(server: KfpServer, runs: Sequence[Submitted], narrator: Narrator) -> None:
    """Tell what runs do until all have ended.

    Raises:
        RunFailedError: At least one ended without success; the first of them is named.
        PipelinesError: The server does not answer any more; the runs go on.
    """
    failures = []
    for one in runs:
        try:
            follow(server, one, narrator)
        except RunFailedError as error:
            failures.append(error)
        finally:
            narrator.end()
    if failures:
        raise failures[0]


def follow(server: KfpServer, submitted: Submitted, narrator: Narrator) -> None:
    """Tell what a run does until it ends.

    Raises:
        RunFailedError: It ended without success.
        PipelinesError: The server does not answer any more; the run goes on.
    """
    told: dict[str, str] = {}
    while True:
        seen = _look(server, submitted)
        _tell(seen.tasks, told, submitted, narrator)
        if seen.ended:
            break
        time.sleep(server.settings.poll_seconds)
    narrator.end()
    narrator.ended(submitted.run, seen.state, submitted.link)
    if seen.state != "SUCCEEDED":
        failed = [one for one in seen.tasks if one.state == "FAILED" and one.name in STAGES]
        stages = f" in stage {', '.join(one.name for one in failed)}" if failed else ""
        raise RunFailedError(
            f"run {submitted.run} of {submitted.pipeline} ended as {seen.state}{stages}"
            + (f": {seen.error}" if seen.error else ""),
            where=submitted.link,
            remedy="look at the log of the stage; submitting again skips what is committed",
        )


def _look(server: KfpServer, submitted: Submitted) -> Seen:
    """How the run stands; a server that is away for a moment is waited for."""
    for turn in range(FAILED_LOOKS):
        try:
            return server.look(submitted.run)
        except PipelinesError as error:
            if error.code not in PASSING or turn == FAILED_LOOKS - 1:
                raise PipelinesError(
                    error.what,
                    where=error.where,
                    remedy=f"the run goes on: {submitted.link}",
                    code=error.code,
                ) from error
        time.sleep(server.settings.poll_seconds)
    raise AssertionError("the last turn returns or raises")


def _tell(tasks: Sequence[Task], told: dict[str, str], submitted: Submitted, narrator: Narrator) -> None:
    """Say what changed since the last look. KFP lists drivers and groups too; only stages are told."""
    for one in tasks:
        if one.name not in STAGES or told.get(one.name) == one.state:
            continue
        told[one.name] = one.state
        common = {"stage": one.name, "twin": submitted.twin}
        if one.state == "RUNNING":
            narrator.tell({"event": "start", **common})
        elif one.state in ("SUCCEEDED", "SKIPPED"):
            skipped = "by Kubeflow Pipelines" if one.state == "SKIPPED" else ""
            done = {"seconds": round(one.seconds, 1), "summary": "", "skipped": skipped}
            narrator.tell({"event": "done", **common, **done})
        elif one.state == "FAILED":
            narrator.tell(
                {"event": "error", **common, "text": one.error or "see its log in the UI", "code": 1}
            )
