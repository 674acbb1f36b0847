"""Following runs: each stage told once, a failed one by name, a server that is away waited for."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from components.shared.errors import PipelinesError, RunFailedError
from pipelines import following, submission
from pipelines.narrator import Narrator
from pipelines.submission import Target
from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import look, task


def told(narrator_out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in narrator_out.getvalue().splitlines()]


def narrator(out: io.StringIO) -> Narrator:
    return Narrator(as_json=True, console=Console(file=out))


def started(target: Target) -> submission.Submitted:
    return submission.submit(target, "collect", "credit")


def test_tells_each_stage_once_and_ends_with_the_run(target: Target, stub: Kept) -> None:
    run, out = started(target), io.StringIO()
    stub.states = [
        look("PENDING"),
        look("RUNNING", task("root-driver", "SUCCEEDED"), task("collect", "RUNNING")),
        look("RUNNING", task("collect", "RUNNING")),
        look("RUNNING", task("collect", "SUCCEEDED"), task("validate", "RUNNING")),
        look("SUCCEEDED", task("collect", "SUCCEEDED"), task("validate", "SKIPPED")),
    ]
    following.follow_all(target.server, [run], narrator(out))
    events = [(one["event"], one.get("stage")) for one in told(out)]
    assert events == [
        ("start", "collect"), ("done", "collect"), ("start", "validate"), ("done", "validate"),
        ("ended", None),
    ]  # fmt: skip
    assert told(out)[1]["seconds"] == 90.0
    assert told(out)[-1] == {
        "event": "ended", "run": run.run, "state": "SUCCEEDED", "link": run.link,
    }  # fmt: skip


def test_a_failed_run_names_the_stage_and_its_error(target: Target, stub: Kept) -> None:
    run, out = started(target), io.StringIO()
    failed = task("validate", "FAILED", "exit code 3")
    stub.states = [look("FAILED", task("collect", "SUCCEEDED"), failed, task("report", "SUCCEEDED"))]
    with pytest.raises(RunFailedError, match=r"ended as FAILED in stage validate") as caught:
        following.follow_all(target.server, [run], narrator(out))
    assert run.link in str(caught.value)
    assert {
        "event": "error",
        "stage": "validate",
        "twin": "credit",
        "text": "exit code 3",
        "code": 1,
    } in told(out)


def test_every_run_is_followed_though_the_first_fails(target: Target, stub: Kept) -> None:
    runs, out = [started(target), started(target)], io.StringIO()
    stub.states = [look("CANCELED"), look("SUCCEEDED")]
    with pytest.raises(RunFailedError, match="CANCELED"):
        following.follow_all(target.server, runs, narrator(out))
    assert [one["state"] for one in told(out) if one["event"] == "ended"] == ["CANCELED", "SUCCEEDED"]


def test_a_server_that_restarts_is_waited_for(target: Target, stub: Kept) -> None:
    run, out = started(target), io.StringIO()
    stub.faults = [(503, b"starting"), (502, b""), (500, b"{}")]
    stub.states = [look("SUCCEEDED")]
    following.follow_all(target.server, [run], narrator(out))
    assert told(out)[-1]["state"] == "SUCCEEDED"


def test_a_server_that_stays_away_ends_following_and_says_that_the_run_goes_on(
    target: Target, stub: Kept
) -> None:
    run = started(target)
    stub.faults = [(503, b"away")] * following.FAILED_LOOKS
    with pytest.raises(PipelinesError, match=rf"the run goes on: {run.link}"):
        following.follow_all(target.server, [run], narrator(io.StringIO()))
    assert stub.faults == []


def test_a_refusal_is_not_tried_again(target: Target, stub: Kept) -> None:
    run = started(target)
    stub.faults = [(403, b'{"message": "no"}'), (500, b"never asked for")]
    with pytest.raises(PipelinesError, match="the caller may not: no"):
        following.follow_all(target.server, [run], narrator(io.StringIO()))
    assert len(stub.faults) == 1
