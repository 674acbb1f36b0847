"""Tells the warehouse and the metrics what this process has open."""

import logging
import os
import socket
import time

from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion
from components.runtime.fronts import BEAT, Front, forget, tell
from components.serving.traffic.report import Report
from components.shared.config.base import Kind
from components.shared.errors import TwinError
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.requests import RELEASE_FAILED, RELEASE_INFO
from components.shared.metrics.traffic import STANDBY
from components.shared.releases import Part, Traffic

#: Values of the metric of the standby.
NO_LONGER, WANTED, OPEN, FAILED = range(4)

log = logging.getLogger("twinstack.serving")


class Reporter:
    """Keeps the word of this process about one twin. `changed` is cheap; `beat` writes.

    Args:
        warehouse: Where fronts tell what they have open.
        twin: Name of the twin.
        kind: Its kind.
        instruments: Where the releases that answer are shown.
    """

    def __init__(self, warehouse: Warehouse, twin: str, kind: Kind, instruments: Instruments) -> None:
        self._warehouse = warehouse
        self._twin = twin
        self._kind = kind
        self._instruments = instruments
        self._id = f"{socket.gethostname()}-{os.getpid()}-{twin}"
        self._report: Report | None = None
        self._told: Report | None = None
        self._at = 0.0  # of the monotonic clock: the other one may be set back
        self._shown: dict[tuple[str, str], str] = {}
        self._failed: frozenset[str] = frozenset()
        self._standby: frozenset[str] = frozenset()

    def changed(self, report: Report) -> None:
        """Take note of what is open; it is written with the next beat."""
        self._report = report

    def beat(self) -> None:
        """Write what is new, or that this process still runs."""
        report = self._report
        if report is None or (report == self._told and time.monotonic() - self._at < BEAT):
            return
        self._show(report.active)
        self._show_failed(frozenset(report.failed) - frozenset(report.standby))
        self._show_standby(report)
        self._told, self._at = report, time.monotonic()
        tell(
            self._warehouse,
            Front(
                id=self._id,
                twin=self._twin,
                at=time.time(),
                revision=report.revision,
                champion=report.active.champion,
                open=report.open,
                opening=report.opening,
                failed=report.failed,
            ),
        )

    def gone(self) -> None:
        """Take the word back; a store that is away must not keep a server from ending."""
        try:
            forget(self._warehouse, self._id)
        except Exception as error:
            log.warning("this front stays listed for a minute: %s", type(error).__name__)

    def _show(self, active: Traffic) -> None:
        """Set the metric of the releases that answer to 1, and of those that no longer do to 0."""
        roles = {("champion", active.champion)}
        roles |= {(role, part.release) for role, part in _parts(active).items()}
        for role, release in self._shown.keys() - roles:
            self._set(0, role, release, self._shown.pop((role, release)))
        for role, release in roles - self._shown.keys():
            try:
                version = champion.read_release(self._warehouse, self._twin, release).model_version
            except TwinError:
                continue
            self._shown[role, release] = version
            self._set(1, role, release, version)

    def _show_failed(self, failed: frozenset[str]) -> None:
        """Set the metric of releases that cannot be opened to 1, and of those that now can to 0."""
        for release in failed | self._failed:
            self._instruments.set(RELEASE_FAILED, float(release in failed), self._twin, release)
        self._failed = failed

    def _show_standby(self, report: Report) -> None:
        """Set the metric of releases that are opened beforehand, and of those that no longer are to 0."""
        wanted = frozenset(report.standby)
        for release in wanted | self._standby:
            state = _state(report, release) if release in wanted else NO_LONGER
            self._instruments.set(STANDBY, state, self._twin, release)
        self._standby = wanted

    def _set(self, value: int, role: str, release: str, version: str) -> None:
        self._instruments.set(RELEASE_INFO, value, self._twin, self._kind, release, role, version)


def _state(report: Report, release: str) -> int:
    """How far a release of the standby is."""
    if release in report.open:
        return OPEN
    return FAILED if release in report.failed else WANTED


def _parts(active: Traffic) -> dict[str, Part]:
    return {role: part for role, part in (("canary", active.canary), ("shadow", active.shadow)) if part}
