"""Stages of the pipelines, interactions on their way to the warehouse, and what waits for a person."""

from components.shared.metrics.operations import ALERTS_RECEIVED, APPROVALS_PENDING, CONSOLE_LIMITED, RUNS
from components.shared.metrics.records import SPOOL_LAG, SPOOL_RECORDS, SPOOLED
from components.shared.metrics.steps import STEP_FAILURE, STEP_ROWS, STEP_SECONDS, STEP_SUCCESS
from tools.observability.dashboards.parts import (
    WINDOW,
    Board,
    Panel,
    Query,
    Row,
    chosen,
    largest,
    line,
    objective,
    zero,
)
from tools.observability.objectives import DATA_AGE, MONITOR_AGE, SPOOL_AGE
from tools.observability.promql import Clock, increase, max_by, rate, sum_by

STAGES = Row(
    "Stages",
    [
        Panel(
            "Time since the last success",
            "By stage, and how old `collect` and `monitor` may be. A stage that skips known work succeeds.",
            "s",
            [
                Query(f"time() - {largest(STEP_SUCCESS, 'step')}", "{{twin}} {{step}}"),
                Query(f"max({objective(DATA_AGE)})", "allowed for collect"),
                Query(f"max({objective(MONITOR_AGE)})", "allowed for monitor"),
            ],
        ),
        Panel(
            "Stages whose last run failed",
            "1 where a stage has failed since it last ended well.",
            "short",
            [
                Query(
                    f"{largest(STEP_FAILURE, 'step')}"
                    f" > bool {largest(STEP_SUCCESS, 'step')}"
                    f" or 0 * {largest(STEP_SUCCESS, 'step')}",
                    "{{twin}} {{step}}",
                )
            ],
            limit=0.5,
        ),
        Panel(
            "Duration",
            "Of the last run of each stage. Near zero means that it skipped.",
            "s",
            [line(largest, STEP_SECONDS, "step")],
        ),
        Panel(
            "Rows",
            "Rows, chunks or examples in the stage's output. A sudden fall means a source that lost data.",
            "short",
            [line(largest, STEP_ROWS, "step")],
        ),
    ],
)

INTERACTIONS = Row(
    "Interactions",
    [
        Panel(
            "Waiting for the warehouse",
            "Interactions accepted and not in the warehouse yet, over all replicas.",
            "short",
            [Query(sum_by(chosen(SPOOL_RECORDS)), "waiting")],
        ),
        Panel(
            "Oldest that waits",
            "It grows while the warehouse is away and falls to 0 when it is back.",
            "s",
            [Query(max_by(chosen(SPOOL_LAG)), "age")],
            limit=Clock().seconds(SPOOL_AGE),
        ),
        Panel(
            "Records",
            "Records of interactions and feedback a second: written to the spool, stored in the warehouse. "
            "Any that is damaged or refused needs a person: the fronts' log names it.",
            "ops",
            [
                Query(
                    f"{sum_by(rate(chosen(SPOOLED), WINDOW), 'fate')} or max({zero()})",
                    "{{fate}}",
                )
            ],
        ),
    ],
)

OPERATIONS = Row(
    "Operations",
    [
        Panel(
            "Waiting for a person",
            "Questions that nobody has answered: releases the gate asks about, and retrainings.",
            "short",
            [
                Query(
                    f"{largest(APPROVALS_PENDING, 'subject')} or {zero()}",
                    "{{twin}} {{subject}}",
                )
            ],
        ),
        Panel(
            "Runs of the last day",
            "Pipeline runs that the operations API started and that ended in 24 hours, by how they ended.",
            "short",
            [
                Query(
                    f"{sum_by(increase(chosen(RUNS), '1d'), 'twin', 'pipeline', 'state')} or {zero()}",
                    "{{twin}} {{pipeline}} {{state}}",
                )
            ],
        ),
        Panel(
            "Alerts of the last day",
            "Episodes of alerts that Alertmanager told the operations API in 24 hours.",
            "short",
            [Query(f"{sum_by(increase(chosen(ALERTS_RECEIVED), '1d'))} or max({zero()})", "alerts")],
        ),
        Panel(
            "Refused by limits of the last day",
            "Requests to the operations API refused in 24 hours because their key had reached a limit.",
            "short",
            [
                Query(
                    f"{sum_by(increase(chosen(CONSOLE_LIMITED), '1d'), 'limit')} or max({zero()})",
                    "{{limit}}",
                )
            ],
        ),
    ],
)

BOARD = Board(
    "data",
    "Data",
    "Is the data fresh, did the stages run, and does what was answered reach the warehouse?",
    [STAGES, INTERACTIONS, OPERATIONS],
)
