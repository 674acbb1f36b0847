"""Every threshold of the alerts, in one place.

Those that differ from site to site are recorded as series (`twinstack:objective_…`), in a file of their own:
the chart writes that file from its values, and every rule and dashboard reads the series.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.shared.metrics.llm import FIRST_TOKEN_SECONDS
from components.shared.metrics.metric import Metric
from components.shared.metrics.requests import REQUEST_SECONDS
from tools.observability.promql import Clock
from tools.observability.rules import Group, Record

AVAILABILITY = "twinstack:objective_availability:ratio"
LATENCY = "twinstack:objective_latency:ratio"
DATA_AGE = "twinstack:objective_data_age:seconds"
MONITOR_AGE = "twinstack:objective_monitor_age:seconds"
#: 1 where fronts are always there; 0, by twin, where none need be there while nobody asks.
PRESENCE = "twinstack:objective_presence:bool"


@dataclass(frozen=True)
class Latency:
    """So much of a kind's requests shall be faster than a bucket of a histogram.

    Attributes:
        ratio: Share of the requests.
        seconds: Upper bound of a bucket of the histogram.
        metric: The histogram.
    """

    ratio: float
    seconds: float
    metric: Metric

    @property
    def bucket(self) -> str:
        """The value of `le`."""
        if self.seconds not in self.metric.buckets:
            raise ValueError(f"{self.metric.name} has no bucket {self.seconds}, only {self.metric.buckets}")
        return str(float(self.seconds))


@dataclass(frozen=True)
class Objectives:
    """What a site promises.

    Attributes:
        availability: Share of requests that shall not end in a 5xx.
        latency: By kind of twin. An LLM's time depends on how long its answer is: the first token counts.
        data_age: How old the last success of a twin's `collect` may be.
        monitor_age: How old the last success of a twin's `monitor` may be.
    """

    availability: float = 0.995
    latency: Mapping[Literal["classic", "llm"], Latency] = field(
        default_factory=lambda: {
            "classic": Latency(0.99, 0.25, REQUEST_SECONDS),
            "llm": Latency(0.95, 5.0, FIRST_TOKEN_SECONDS),
        }
    )
    data_age: str = "26h"
    monitor_age: str = "26h"


OBJECTIVES = Objectives()


@dataclass(frozen=True)
class Burn:
    """One row of the table of multi-window, multi-burn-rate alerts.

    Source: The Site Reliability Workbook (2018), chapter 5, "Alerting on SLOs", table 5-8.

    Attributes:
        long: Window that says it matters.
        short: Window that says it still goes on.
        factor: How many times faster than allowed the error budget of 30 days burns.
        severity: Who is called.
    """

    long: str
    short: str
    factor: float
    severity: Literal["page", "ticket"]


BURNS = (
    Burn("1h", "5m", 14.4, "page"),
    Burn("6h", "30m", 6.0, "page"),
    Burn("3d", "6h", 1.0, "ticket"),
)

#: Requests in the long window below which no burn rate is looked at: one error of three is no outage.
LEAST_REQUESTS = 20

#: Share of answers by the fallback above which someone should look.
FALLBACK_SHARE = 0.05

#: Share of requests refused because of a full queue above which someone should look.
REFUSED_SHARE = 0.01

#: Share of a key's token budget at which its owner is told.
BUDGET_SHARE = 0.9

#: How long an interaction may wait for the warehouse.
SPOOL_AGE = "15m"


def group(clock: Clock, objectives: Objectives = OBJECTIVES) -> Group:
    """The objectives as series."""
    ages = ((DATA_AGE, objectives.data_age), (MONITOR_AGE, objectives.monitor_age))
    return Group(
        "twinstack-objectives",
        [
            Record(AVAILABILITY, f"vector({objectives.availability})"),
            *(
                Record(LATENCY, f"vector({one.ratio})", {"twin_kind": kind, "le": one.bucket})
                for kind, one in objectives.latency.items()
            ),
            *(Record(name, f"vector({clock.seconds(age):g})") for name, age in ages),
            Record(PRESENCE, "vector(1)"),
        ],
    )
