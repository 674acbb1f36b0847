"""Runs of pipelines as the operations API shows them, and how they are kept."""

from collections.abc import Iterator
from typing import Any, Literal, Protocol

from components.adapters.warehouse.contract import Span, Warehouse
from components.shared.errors import NotFoundError
from components.shared.stored import Stored

#: Warehouse collection.
RUNS = "runs"

#: All, the newest first.
NEWEST = Span(backwards=True)

Pipeline = Literal["collect", "features", "train", "release", "monitor", "end_to_end"]
State = Literal["running", "succeeded", "failed", "interrupted"]


class Stage(Stored):
    """What one stage of a run did.

    Attributes:
        stage: Its name.
        seconds: How long it took.
        summary: What it says of itself.
        skipped: Why it had nothing to do; empty where it worked.
    """

    stage: str
    seconds: float = 0.0
    summary: str = ""
    skipped: str = ""


class Run(Stored):
    """One run of a pipeline for one twin.

    Attributes:
        id: Begins with its time, so that ids sort by age.
        pipeline: Its name.
        twin: Name of the twin.
        by: Id of the key that started it, or what did.
        state: `interrupted` where its process is gone without a word; starting it again resumes it.
        started: ISO 8601 time.
        ended: ISO 8601 time; empty while it runs.
        pid: Process on the console's machine.
        error: What went wrong, with the remedy.
        stages: What has been done so far.
        followed: What followed from it: of a `monitor`, whether a retraining was proposed, and why not.
    """

    id: str
    pipeline: Pipeline
    twin: str
    by: str
    state: State = "running"
    started: str
    ended: str = ""
    pid: int = 0
    error: str = ""
    stages: tuple[Stage, ...] = ()
    followed: str = ""


class Runner(Protocol):
    """Starts runs and knows how they are."""

    def start(self, pipeline: Pipeline, twin: str, by: str) -> Run:
        """Start a run.

        Raises:
            ConflictError: A run of the twin is going on.
        """

    def listed(self, twin: str | None = None, span: Span = NEWEST) -> Iterator[Run]:
        """Runs, the newest first."""

    def read(self, key: str) -> Run:
        """One run, with the stages done so far.

        Raises:
            NotFoundError: There is none.
        """


def store(warehouse: Warehouse, run: Run) -> None:
    """Write a run down."""
    warehouse.apply({RUNS: ([{"_id": run.id, "twin": run.twin, "body": run.model_dump(mode="json")}], ())})


def stored(warehouse: Warehouse, twin: str | None = None, span: Span = NEWEST) -> Iterator[Run]:
    """Runs by age, the newest first."""
    equal: dict[str, Any] = {"twin": twin} if twin else {}
    for found in warehouse.scan(RUNS, span, **equal):
        yield Run.model_validate(found["body"])


def read(warehouse: Warehouse, key: str) -> Run:
    """A run by its id.

    Raises:
        NotFoundError: There is none.
    """
    found = warehouse.get(RUNS, key)
    if not found:
        raise NotFoundError(f"no run '{key[:80]}'", param="id", remedy="GET /api/v1/runs lists what there is")
    return Run.model_validate(found["body"])
