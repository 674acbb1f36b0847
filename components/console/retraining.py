"""From a finding of drift to a retraining: proposed at most so often, started by a person's word."""

from datetime import UTC, datetime, timedelta

from components.adapters.stores import Stores
from components.adapters.warehouse.contract import Warehouse
from components.console.runs import Pipeline, Run
from components.runtime import approvals
from components.shared.config import Config

#: What an approved retraining runs: newest data, features, training, evaluation, gate.
PIPELINE: Pipeline = "end_to_end"


def consider(config: Config, run: Run, now: datetime | None = None) -> str:
    """Propose a retraining where a run of `monitor` found drift, in the data or in what the fronts saw.

    Args:
        config: The configuration.
        run: A run that ended.
        now: Time of the proposal.

    Returns:
        What followed from the run, and why; empty where it was no `monitor`, or failed.
    """
    if run.pipeline != "monitor" or run.state != "succeeded":
        return ""
    stores = Stores(config)
    found = stores.artifacts.latest(run.twin, "monitor")
    if found is None or not (found.facts.get("drifted") or found.facts.get("traffic_drifted")):
        return "no retraining proposed: nothing drifted"
    moment = now or datetime.now(UTC)
    if reason := _too_soon(config, stores.warehouse, run.twin, moment):
        return f"no retraining proposed: {reason}"
    asked = approvals.ask(stores.warehouse, run.twin, "retraining", found.version, found.summary, moment)
    if asked.state != "pending":
        return f"no retraining proposed: approval {asked.id} {asked.state} one for the same finding"
    return f"retraining proposed: approval {asked.id} waits for a person"


def _too_soon(config: Config, warehouse: Warehouse, twin: str, moment: datetime) -> str:
    """Why no further retraining may be proposed yet; empty where one may."""
    days = config.console.retrain_every_days
    since = (moment - timedelta(days=days)).isoformat(timespec="seconds")
    for one in approvals.listed(warehouse, twin):  # the newest first
        if one.subject == "retraining" and one.state == "pending":
            return f"approval {one.id} of {one.asked} still waits for a person"
        if one.subject == "retraining" and one.asked > since:
            return f"one was at {one.asked}, and console.retrain_every_days allows one in {days:g} days"
    return ""
