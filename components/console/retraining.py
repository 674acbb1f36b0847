"""From a finding of drift to a retraining: proposed at most so often, started by a person's word."""

import logging
from datetime import UTC, datetime, timedelta

from components.adapters.stores import Stores
from components.console.runs import Pipeline, Run
from components.runtime import approvals
from components.shared.approvals import Approval
from components.shared.config import Config

log = logging.getLogger("twinstack.console")

#: What an approved retraining runs: newest data, features, training, evaluation, gate.
PIPELINE: Pipeline = "end_to_end"


def consider(config: Config, run: Run, now: datetime | None = None) -> Approval | None:
    """Propose a retraining where a run of `monitor` found drift.

    Args:
        config: The configuration.
        run: A run that ended.
        now: Time of the proposal.

    Returns:
        The proposal; None where nothing drifted, or where one was made lately.
    """
    if run.pipeline != "monitor" or run.state != "succeeded":
        return None
    stores = Stores(config)
    found = stores.artifacts.latest(run.twin, "monitor")
    if found is None or not found.facts.get("drifted"):
        return None
    moment = now or datetime.now(UTC)
    since = (moment - timedelta(days=config.console.retrain_every_days)).isoformat(timespec="seconds")
    lately = [
        one
        for one in approvals.listed(stores.warehouse, run.twin)
        if one.subject == "retraining" and (one.state == "pending" or one.asked > since)
    ]
    if lately:
        log.info("twin '%s': no retraining proposed, one was at %s", run.twin, lately[0].asked)
        return None
    return approvals.ask(stores.warehouse, run.twin, "retraining", found.version, found.summary, moment)
