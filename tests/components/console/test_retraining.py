"""From drift to a proposal, at most so often."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.adapters.stores import Stores
from components.console import retraining
from components.console.runs import Run
from components.runtime import approvals
from components.shared.approvals import Approval
from components.shared.config import Config, load
from components.shared.manifests import Manifest

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
RUN = Run(id="r", pipeline="monitor", twin="credit", by="alert", state="succeeded", started="")


@pytest.fixture
def config(project: Path) -> Config:
    return load(project)


def found(config: Config, drifted: int, version: str = "v1", traffic: int = 0) -> None:
    """The newest output of stage monitor."""
    made = Manifest(
        stage="monitor", twin="credit", recipe=version, version=version, uri="file:///nowhere",
        facts={"drifted": drifted, "traffic_drifted": traffic}, summary=f"{drifted} of 28 signals drifted",
    )  # fmt: skip
    Stores(config).artifacts.mark_latest(made)


def asked(config: Config) -> list[Approval]:
    return approvals.listed(Stores(config).warehouse, "credit")


def test_drift_proposes_a_retraining_with_its_reason(config: Config) -> None:
    found(config, drifted=2)
    said = retraining.consider(config, RUN, NOW)
    (made,) = asked(config)
    assert said == f"retraining proposed: approval {made.id} waits for a person"
    assert (made.subject, made.target, made.state) == ("retraining", "v1", "pending")
    assert made.reason == "2 of 28 signals drifted"


def test_drift_that_only_the_fronts_saw_proposes_one_as_well(config: Config) -> None:
    found(config, drifted=0, traffic=1)
    assert retraining.consider(config, RUN, NOW).startswith("retraining proposed")


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
    assert not retraining.consider(config, run, NOW).startswith("retraining proposed")
    assert asked(config) == []


def test_no_drift_proposes_nothing(config: Config) -> None:
    found(config, drifted=0)
    assert retraining.consider(config, RUN, NOW) == "no retraining proposed: nothing drifted"
    assert asked(config) == []


def test_the_next_proposal_waits_for_the_cadence_and_for_the_answer(config: Config) -> None:
    warehouse = Stores(config).warehouse
    found(config, drifted=2)
    retraining.consider(config, RUN, NOW)
    (first,) = asked(config)
    found(config, drifted=3, version="v2")
    late = NOW + timedelta(days=config.console.retrain_every_days, hours=1)
    said = retraining.consider(config, RUN, late)
    assert said == f"no retraining proposed: approval {first.id} of {first.asked} still waits for a person"
    approvals.decide(warehouse, first.id, "rejected", "somebody", now=NOW)
    said = retraining.consider(config, RUN, NOW + timedelta(days=1))
    assert said.endswith(f"one was at {first.asked}, and console.retrain_every_days allows one in 7 days")
    assert retraining.consider(config, RUN, late).startswith("retraining proposed")
    assert [one.target for one in asked(config)] == ["v2", "v1"]


def test_a_finding_that_was_answered_is_not_asked_about_again(config: Config) -> None:
    found(config, drifted=2)
    retraining.consider(config, RUN, NOW)
    (first,) = asked(config)
    approvals.decide(Stores(config).warehouse, first.id, "rejected", "somebody", now=NOW)
    said = retraining.consider(config, RUN, NOW + timedelta(days=30))
    assert said == f"no retraining proposed: approval {first.id} rejected one for the same finding"
