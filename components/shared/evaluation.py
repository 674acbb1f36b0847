"""Numbers of a candidate, a champion and a baseline on the same cases."""

import math
from typing import Literal

from pydantic import Field

from components.shared.stored import Stored

#: File of the numbers inside the folder of stage evaluate.
FILE = "evaluation.json"

#: Digits of a number with a unit, and most of its decimals.
SHOWN, MOST = 3, 9


class Measure(Stored):
    """A value with its interval."""

    value: float
    low: float
    high: float
    better: Literal["higher", "lower"] = "higher"


class Difference(Stored):
    """Candidate less champion on the same cases, with the interval of the paired difference."""

    value: float
    low: float
    high: float


class Evaluation(Stored):
    """What stage evaluate found.

    Attributes:
        twin: Name of the twin.
        cases: How many cases.
        cases_version: Digest of the cases, so that two evaluations can be told to be comparable.
        level: Confidence level of the intervals.
        candidate: Metric name to measure.
        baseline: The same metrics of the baseline, where it has them.
        baseline_name: What the baseline is.
        champion: The same metrics of the champion; empty where there is none.
        champion_release: Its release id; empty where there is none.
        paired: Metric name to candidate less champion.
        unmeasured: Metric name to why this candidate cannot have it.
        units: Metric name to its unit, where it has one: seconds, or a currency.
        notes: Metric name to how it was measured, where the name does not say it.
        clocked: Metrics that a clock measured: measured again they differ.
    """

    twin: str
    cases: int
    cases_version: str
    level: float
    candidate: dict[str, Measure]
    baseline: dict[str, Measure] = Field(default_factory=dict)
    baseline_name: str
    champion: dict[str, Measure] = Field(default_factory=dict)
    champion_release: str = ""
    paired: dict[str, Difference] = Field(default_factory=dict)
    unmeasured: dict[str, str] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)
    clocked: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric, those of the candidate first."""
        return tuple(dict.fromkeys([*self.candidate, *self.unmeasured, *self.champion]))

    def number(self, name: str, value: float, *, signed: bool = False) -> str:
        """A value of a metric as text: three decimals of a score, three digits of what has a unit."""
        if name not in self.units:
            return f"{value:+.3f}" if signed else f"{value:.3f}"
        # As many decimals as three digits need, and never an exponent: 0.0000402.
        digits = SHOWN - 1 - math.floor(math.log10(abs(value))) if value else 0
        text = f"{value:{'+' if signed else ''},.{min(max(digits, 0), MOST)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def shown(self, name: str, found: Measure | Difference | None) -> str:
        """A measure or a difference with interval and unit, as text."""
        if found is None:
            return "–"
        signed = isinstance(found, Difference)
        value, low, high = (
            self.number(name, one, signed=signed) for one in (found.value, found.low, found.high)
        )
        return f"{value} [{low}, {high}] {self.units.get(name, '')}".rstrip()
