"""What the configuration of both kinds shares."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A closed, frozen part of the configuration: unknown fields are refused, and numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


#: Kinds of twins.
Kind = Literal["classic", "llm"]

#: A path, relative to the folder of `twinstack.yaml`.
ProjectPath = Annotated[str, Field(min_length=1, max_length=500)]

#: A share of a whole.
Share = Annotated[float, Field(ge=0, le=1)]


class GateRule(Settings):
    """One condition that a candidate must meet to be released."""

    metric: str = Field(min_length=1)
    """Name of a metric in the evaluation, for example `roc_auc`, `recall_at_5`, `cost_per_1000` or
    `latency_p95` (seconds)."""
    at_least: float | None = None
    """The candidate's value must not be below this."""
    at_most: float | None = None
    """The candidate's value must not be above this."""
    may_lose: float | None = Field(default=None, ge=0)
    """How much worse than the champion the candidate may be, at the unfavourable end of the interval of the
    paired difference. Not looked at while there is no champion."""
    may_lose_share: float | None = Field(default=None, ge=0)
    """The same as a share of the champion's value: 0.2 lets cost or latency be a fifth higher."""
    otherwise: Literal["block", "ask"] = "block"
    """What follows where the condition is not met: the release is refused, or a person is asked."""


class Gate(Settings):
    """The conditions between a candidate and its release."""

    rules: tuple[GateRule, ...] = Field(min_length=1)
    """Conditions; the strictest consequence of those not met counts."""
    approval: Literal["never", "when_asked", "always"] = "when_asked"
    """When a person has to approve: `never` treats `ask` as `block`."""


class Monitor(Settings):
    """Drift of the current window against the training window."""

    window_rows: int = Field(default=500, ge=50, le=1_000_000)
    """Rows of the current window; below 500 a PSI of 0.1 comes up often without any drift."""
    bins: int = Field(default=10, ge=2, le=100)
    """Quantile bins of the training window."""
    false_alarm_rate: float = Field(default=0.01, gt=0, lt=0.5)
    """Share of windows without drift that may exceed a signal's threshold, which is simulated from it."""
    smallest_psi: float = Field(default=0.1, ge=0, le=10)
    """Drift below this PSI, or what is like it in other distances, is not worth attention."""
    window_seconds: int = Field(default=3600, ge=10, le=31_536_000)
    """Age at which a window of the fronts is closed although it has not `window_rows` yet."""
    flush_seconds: float = Field(default=15.0, ge=0.1, le=3600)
    """Time between two additions of a front to the window that all replicas share."""
    label_delay_seconds: int = Field(default=86_400, ge=0, le=31_536_000)
    """Age from which an answer counts towards quality: by then its label should have come."""
    minimum_rows: int = Field(default=100, ge=20, le=1_000_000)
    """A window of the fronts with fewer rows stays open, however old it is."""


class BaseTwin(Settings):
    """What every twin has, whatever its kind."""

    description: str = ""
    """One sentence for people."""
    gate: Gate
    """What a candidate must meet to be released."""
    monitor: Monitor = Monitor()
    """How drift is looked for."""
    intervals: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence level of every interval in the evaluation."""
    bootstrap_rounds: int = Field(default=1000, ge=100, le=100_000)
    """Resamples of every bootstrap interval."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of every random choice."""
