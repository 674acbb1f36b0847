"""From drift to a proposal, at most so often."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.adapters.stores import Stores
from components.console import retraining
from components.console.runs import Run
from components.runtime import approvals
from components.shared.config import Config, load
from components.shared.manifests import Manifest

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
RUN = Run(id="r", pipeline="monitor", twin="credit", by="alert", state="succeeded", started="")


@pytest.fixture
def config(project: Path) -> Config:
    return load(project)


def found(config: Config, drifted: int, version: str = "v1") -> None:
    """The newest output of stage monitor."""
    made = Manifest(
        stage="monitor", twin="credit", recipe=version, version=version, uri="file:///nowhere",
        facts={"drifted": drifted}, summary=f"{drifted} of 28 signals drifted",
    )  # fmt: skip
    Stores(config).artifacts.mark_latest(made)


def test_drift_proposes_a_retraining_with_its_reason(config: Config) -> None:
    found(config, drifted=2)
    made = retraining.consider(config, RUN, NOW)
    assert made is not None
    assert (made.subject, made.target, made.state) == ("retraining", "v1", "pending")
    assert made.reason == "2 of 28 signals drifted"


@pytest.mark.parametrize(
    "run",
    [
        RUN.model_copy(update={"pipeline": "train"}),
        RUN.model_copy(update={"state": "failed"}),
        RUN.model_copy(update={"twin": "docs"}),
    ],
)
def test_other_runs_propose_nothing(config: Config, run: Run) -> None:
    found(config, drifted=2)
    assert retraining.consider(config, run, NOW) is None


def test_no_drift_proposes_nothing(config: Config) -> None:
    found(config, drifted=0)
    assert retraining.consider(config, RUN, NOW) is None


def test_the_next_proposal_waits_for_the_cadence_and_for_the_answer(config: Config) -> None:
    warehouse = Stores(config).warehouse
    found(config, drifted=2)
    first = retraining.consider(config, RUN, NOW)
    assert first is not None
    found(config, drifted=3, version="v2")
    late = NOW + timedelta(days=config.console.retrain_every_days, hours=1)
    assert retraining.consider(config, RUN, late) is None, "the first still waits for an answer"
    approvals.decide(warehouse, first.id, "rejected", "somebody", now=NOW)
    assert retraining.consider(config, RUN, NOW + timedelta(days=1)) is None
    second = retraining.consider(config, RUN, late)
    assert second is not None
    assert second.target == "v2"
