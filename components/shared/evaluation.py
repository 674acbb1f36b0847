"""Numbers of a candidate, a champion and a baseline on the same cases."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

#: File of the numbers inside the folder of stage evaluate.
FILE = "evaluation.json"


class Measure(BaseModel):
    """A value with its interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float
    better: Literal["higher", "lower"] = "higher"


class Difference(BaseModel):
    """Candidate less champion on the same cases, with the interval of the paired difference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float


class Evaluation(BaseModel):
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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    twin: str
    cases: int
    cases_version: str
    level: float
    candidate: dict[str, Measure]
    baseline: dict[str, Measure] = {}
    baseline_name: str
    champion: dict[str, Measure] = {}
    champion_release: str = ""
    paired: dict[str, Difference] = {}
    unmeasured: dict[str, str] = {}
