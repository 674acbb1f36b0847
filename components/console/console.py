"""What the routes of the operations API share: the stores, the keys, the runner and the metrics."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from components.adapters.stores import Stores
from components.console import retraining
from components.console.runner import CommandRunner
from components.console.runs import Run, Runner
from components.runtime import approvals, promotion, standby
from components.runtime.keys import Keys
from components.shared.approvals import Approval, State
from components.shared.config import Config
from components.shared.errors import TwinError
from components.shared.identity import Key
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.operations import APPROVALS_PENDING, RUNS


class Console:
    """What the routes share.

    Args:
        config: The configuration.
        file: Where it was read from.
        runner: Starts runs; None takes the command line.
    """

    def __init__(self, config: Config, file: Path, runner: Runner | None = None) -> None:
        self.config = config
        self.keys = Keys(config)
        self.warehouse = Stores(config).warehouse
        self.registry = CollectorRegistry()
        self.instruments = Instruments(self.registry, side="console")
        self.runner = runner or CommandRunner(config, file, self.ended)

    def ended(self, run: Run) -> str:
        """Count a run, and propose what follows from it."""
        self.instruments.add(RUNS, 1, run.twin, run.pipeline, run.state)
        return retraining.consider(self.config, run)

    def exposition(self) -> bytes:
        """The metrics, with the questions counted now."""
        pending = [(one.twin, one.subject) for one in approvals.listed(self.warehouse, state="pending")]
        for twin in self.config.twins:
            for subject in ("release", "retraining"):
                self.instruments.set(APPROVALS_PENDING, pending.count((twin, subject)), twin, subject)
        return generate_latest(self.registry)

    def decided(self, key: str, state: State, by: Key, note: str) -> Approval:
        """Write an answer down and do what was approved; what cannot be done leaves the question open.

        Raises:
            ForbiddenError: The key is for other twins.
            NotFoundError: There is no such question.
            ConflictError: It was answered before, or a run of the twin is going on.
            ClusterError: The release's predictor did not become ready.
        """
        by.require_twin(approvals.read(self.warehouse, key).twin)
        found = approvals.decide(self.warehouse, key, state, by.id, note)
        if state != "approved":
            standby.withdraw(self.warehouse, found.twin, [found.target])
            return found
        try:
            if found.subject == "release":
                promotion.promoted(self.config, found.twin, found.target, report=lambda _: None)
            else:
                self.runner.start(retraining.PIPELINE, found.twin, by.id)
        except TwinError:
            approvals.reopen(self.warehouse, found)
            raise
        return found
