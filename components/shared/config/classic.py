"""Configuration of a classic twin: a table, a dataflow, a model."""

import math
from datetime import datetime
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from components.shared.config.base import BaseTwin, ProjectPath, Settings, Share
from components.shared.config.costs import MachineCosts

ColumnType = Literal["integer", "number", "text"]


class Column(Settings):
    """A declared column of a table."""

    type: ColumnType
    """`integer` and `number` are checked by value; `text` takes anything but an empty cell."""
    optional: bool = False
    """Whether the value may be missing: an empty cell, or null in a request. A dataflow then gets NaN for a
    number and an empty text for a text."""
    header: str = Field(default="", max_length=200)
    """The column's name in the file, where a dataflow cannot use it: `Net income (EUR)`. Empty: the same."""
    minimum: float | None = None
    """Smallest allowed value of a number."""
    maximum: float | None = None
    """Largest allowed value of a number."""
    allowed: tuple[str, ...] = ()
    """Every allowed text; empty allows any. Of the label it lets a late label of no such class be refused."""

    @property
    def numbers(self) -> str:
        """Which numbers are allowed, in words."""
        ends = [f"from {self.minimum:g}"] if self.minimum is not None else []
        ends += [f"to {self.maximum:g}"] if self.maximum is not None else []
        return " ".join(["an integer" if self.type == "integer" else "a number", *ends])


class EventTime(Settings):
    """When a row happened."""

    column: str | None = None
    """Column with ISO 8601 times; without one, times are assigned by row number."""
    start: str = "2024-01-01T00:00:00+00:00"
    """Assigned time of the first row in ISO 8601, where there is no column."""
    step_seconds: int = Field(default=63_072, ge=1)
    """Assigned distance between rows: 63,072 s lays 1,000 rows over two years. The last row has to happen
    before the year 2262."""

    @field_validator("start")
    @classmethod
    def _is_a_time(cls, start: str) -> str:
        datetime.fromisoformat(start)
        return start


class Table(Settings):
    """A CSV file with declared columns."""

    path: ProjectPath
    """CSV file in UTF-8 with a header."""
    key: str = "id"
    """Column with the entity's id; where the file has none, ids are assigned by row number."""
    key_prefix: str = Field(default="", max_length=10)
    """Start of assigned ids: `A` gives A0001, A0002, …"""
    event_time: EventTime = EventTime()
    """When each row happened."""
    columns: dict[str, Column] = Field(min_length=1)
    """Declared columns by name; others in the file are ignored."""
    label: str
    """Column of the outcome."""
    positive: str
    """Value of the label that the model gives the probability of."""
    max_rejected: Share = 0.0
    """Share of bad rows that is set aside with the reason instead of failing the stage."""

    @model_validator(mode="after")
    def _label_is_declared(self) -> Self:
        if self.label not in self.columns:
            raise ValueError(f"label '{self.label}' is not among columns: {', '.join(self.columns)}")
        if self.columns[self.label].optional:
            raise ValueError(f"label '{self.label}' cannot be optional: every row needs its outcome")
        column = self.columns[self.label]
        if column.allowed and self.positive not in column.allowed:
            raise ValueError(f"positive is '{self.positive}'; allowed: one of {', '.join(column.allowed)}")
        if column.type != "text" and not _is_number(self.positive):
            raise ValueError(f"positive is '{self.positive}'; allowed: {column.numbers}, as its column holds")
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Declared column to its name in the file."""
        return {name: column.header or name for name, column in self.columns.items()}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Boosting(Settings):
    """XGBoost, histogram method, with early stopping on the validation part."""

    rounds: int = Field(default=300, ge=1, le=20_000)
    """Most trees."""
    early_stopping: int = Field(default=30, ge=1, le=1_000)
    """Rounds without improvement on the validation part, after which training stops."""
    max_depth: int = Field(default=3, ge=1, le=16)
    """Deepest tree."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """Shrinkage of each tree."""
    subsample: float = Field(default=0.8, gt=0, le=1)
    """Share of rows that each tree sees."""
    column_sample: float = Field(default=0.6, gt=0, le=1)
    """Share of features that each tree sees."""
    min_child_weight: float = Field(default=3.0, ge=0)
    """Smallest sum of hessians in a leaf."""
    l2: float = Field(default=2.0, ge=0)
    """L2 penalty on leaf values."""


class Scorecard(Settings):
    """Logistic regression on weight-of-evidence bins, as points: the fallback."""

    bins: int = Field(default=5, ge=2, le=20)
    """Most bins of a feature."""
    base_points: float = 600.0
    """Points at the base odds."""
    base_odds: float = Field(default=30.0, gt=0)
    """Good to bad odds at the base points."""
    points_to_double: float = Field(default=20.0, gt=0)
    """Points that double the odds."""


class Split(Settings):
    """Shares of a dataset by event time: oldest train, then validation, newest test."""

    validation: float = Field(default=0.15, gt=0, lt=0.5)
    """Share that early stopping looks at."""
    test: float = Field(default=0.25, gt=0, lt=0.5)
    """Share that evaluation looks at; the newest rows."""


class ClassicTwin(BaseTwin):
    """A model over a table."""

    kind: Literal["classic"]
    """A model over a table."""
    table: Table
    """The data."""
    dataflow: str = Field(min_length=1)
    """A module of Hamilton functions: an import path, or a `.py` path beside `twinstack.yaml`."""
    features: tuple[str, ...] = Field(min_length=1)
    """Nodes of the dataflow that the model sees, in this order."""
    feature_ttl_days: int = Field(default=3650, ge=1)
    """How old a feature value may be at the time it is joined to."""
    split: Split = Split()
    """How the dataset is divided by time."""
    model: str = Field(default="", max_length=500, pattern=r"^(https?://[^\s#@]+#[^\s#]+)?$")
    """`http(s)://HOST[:PORT]#MODEL`, a model behind KServe's V2 protocol that takes `features` in this order
    and answers with the probability, for example the predictor that the chart pins; empty trains XGBoost."""
    training: Boosting = Boosting()
    """XGBoost."""
    scorecard: Scorecard = Scorecard()
    """The fallback."""
    costs: MachineCosts = MachineCosts()
    """What predictions cost."""
