"""Alertmanager's webhook: every alert is kept once, and some start the pipeline `monitor`."""

from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from components.adapters.warehouse.contract import ALL, ConflictError, Span, Warehouse
from components.console.runs import Runner
from components.shared.config import Config
from components.shared.stored import Stored

#: Warehouse collection.
ALERTS = "alerts"

Text = Annotated[str, Field(max_length=4_000)]
Words = Annotated[dict[Annotated[str, Field(max_length=200)], Text], Field(max_length=100)]

BY = "alert"

#: What is said of an alert that Alertmanager will tell again, when `monitor` may be free to start.
BUSY = "kept: another run of the twin is going on; started when the alert is told again"


class Alert(BaseModel):
    """One alert of a notification, as Alertmanager writes it (webhook payload, version 4)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Words
    annotations: Words = {}
    startsAt: datetime  # noqa: N815 - Alertmanager's name
    endsAt: datetime | None = None  # noqa: N815 - Alertmanager's name
    fingerprint: str = Field(pattern=r"^[0-9a-f]{1,64}$")


class Notification(BaseModel):
    """What Alertmanager posts to a receiver."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal["4"]
    alerts: tuple[Alert, ...] = Field(max_length=1_000)


class Outcome(Stored):
    """What became of one alert.

    Attributes:
        id: Fingerprint and start: one episode of one alert.
        alert: Its name.
        twin: The twin of its labels; empty where it has none that is configured.
        status: `firing` or `resolved`.
        action: What was done.
        run: Id of the run that it started, or that was looking already; its `followed` says what came of it.
        started: ISO 8601 time of the episode's begin.
        summary: The alert's own words.
    """

    id: str
    alert: str
    twin: str
    status: Literal["firing", "resolved"]
    action: str
    run: str = ""
    started: str
    summary: str = ""


def take(
    warehouse: Warehouse, config: Config, runner: Runner, told: Notification
) -> tuple[list[Outcome], int]:
    """Keep the alerts of a notification and start what they ask for; told twice is done once.

    Returns:
        What became of each, and how many of them were new.
    """
    taken = [_take(warehouse, config, runner, one) for one in told.alerts]
    return [outcome for outcome, _ in taken], sum(new for _, new in taken)


def listed(warehouse: Warehouse, span: Span = ALL) -> Iterator[Outcome]:
    """Alerts that were told, by fingerprint."""
    for found in warehouse.scan(ALERTS, span):
        yield Outcome.model_validate(found["body"])


def _take(warehouse: Warehouse, config: Config, runner: Runner, alert: Alert) -> tuple[Outcome, bool]:
    key = f"{alert.fingerprint}-{alert.startsAt:%Y%m%dT%H%M%S}"
    found = warehouse.get(ALERTS, key)
    before = Outcome.model_validate(found["body"]) if found else None
    if before and alert.status == "resolved" and before.status == "firing":
        made = before.model_copy(update={"status": "resolved"})
    elif before and (before.action != BUSY or before.status == "resolved"):
        return before, False
    else:
        made = _new(config, runner, alert, key)
    document: dict[str, Any] = {"_id": key, "twin": made.twin, "body": made.model_dump(mode="json")}
    warehouse.apply({ALERTS: ([document], ())})
    return made, before is None


def _new(config: Config, runner: Runner, alert: Alert, key: str) -> Outcome:
    name, twin = alert.labels.get("alertname", ""), alert.labels.get("twin", "")
    known = twin if twin in config.twins else ""
    action, run = "kept", ""
    if alert.status == "firing" and known and _wanted(config, name):
        action, run = _started(runner, known)
    return Outcome(
        id=key,
        alert=name,
        twin=known,
        status=alert.status,
        action=action,
        run=run,
        started=alert.startsAt.isoformat(timespec="seconds"),
        summary=alert.annotations.get("summary", ""),
    )


def _started(runner: Runner, twin: str) -> tuple[str, str]:
    """What was done, and the run that looks for drift."""
    try:
        return "monitor started", runner.start("monitor", twin, BY).id
    except ConflictError:
        for one in runner.listed(twin):
            if one.pipeline == "monitor" and one.state == "running":
                return "kept: monitor is running already", one.id
        return BUSY, ""


def _wanted(config: Config, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in config.console.monitor_on)
