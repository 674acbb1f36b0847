"""PromQL out of the metric table: a metric or a label that does not exist is an error while generating."""

import re
from dataclasses import dataclass

from components.shared.metrics.metric import VALUES, Metric
from components.shared.metrics.table import exposed

#: Labels that a scrape adds and every aggregation keeps: two installations may share one Prometheus.
SCRAPED = ("namespace",)

#: Every namespace, and series without one. On a cluster the chart writes its own namespace in this place, so
#: that rules of two installations do not see each other's series.
SCOPE = "=~.*"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")


@dataclass(frozen=True)
class Clock:
    """Durations of rules, shortened by a factor so that a test does not wait for hours.

    Attributes:
        scale: 1 for production; 0.001 makes an hour 3.6 s.
        shortest: Seconds below which no duration is shortened, several scrapes long.
    """

    scale: float = 1.0
    shortest: float = 0.0

    def seconds(self, duration: str) -> float:
        """Seconds of a Prometheus duration, for example of `6h`.

        Raises:
            ValueError: It is none.
        """
        found = _DURATION.fullmatch(duration)
        if found is None:
            raise ValueError(f"'{duration}' is no duration such as 5m, 6h or 3d")
        return max(int(found[1]) * _UNITS[found[2]] * self.scale, self.shortest)

    def __call__(self, duration: str) -> str:
        """The duration as Prometheus writes it, shortened."""
        if self.scale == 1.0:
            self.seconds(duration)
            return duration
        return f"{round(self.seconds(duration) * 1000)}ms"


def select(metric: Metric, end: str = "", **labels: str) -> str:
    """A selector of a metric.

    Args:
        metric: From the table.
        end: `bucket`, `count` or `sum` of a histogram.
        **labels: Label to what it must be: a value, or an operator and a value: `=~5..`, `!=shadow`, `!~a|b`.

    Raises:
        ValueError: The metric has no such series or label, or the label never has that value.
    """
    name = f"{metric.name}_{end}" if end else metric.name
    if name not in exposed(metric):
        raise ValueError(f"metric {metric.name} exposes no series {name}")
    for label, wanted in labels.items():
        if label not in (*metric.labels, *SCRAPED, "le"):
            raise ValueError(f"metric {metric.name} has no label '{label}'")
        _closed(metric, label, *_operator(wanted))
    return series(name, **labels)


def series(name: str, **labels: str) -> str:
    """A selector of series by their name, of one namespace where there is one.

    Args:
        name: Of what is scraped or recorded.
        **labels: As for `select`.
    """
    matchers = []
    for label, wanted in {"namespace": SCOPE, **labels}.items():
        operator, value = _operator(wanted)
        matchers.append(f'{label}{operator}"{value}"')
    return f"{name}{{{','.join(matchers)}}}"


def _operator(wanted: str) -> tuple[str, str]:
    """Operator and value of a matcher."""
    operator = next((one for one in ("=~", "!~", "!=") if wanted.startswith(one)), "=")
    return operator, wanted.removeprefix(operator) if operator != "=" else wanted


def _closed(metric: Metric, label: str, operator: str, value: str) -> None:
    if label in VALUES and "$" not in value:
        named = value.split("|") if operator in ("=~", "!~") else [value]
        if unknown := [one for one in named if one not in VALUES[label] and one.isidentifier()]:
            raise ValueError(f"label {label} of {metric.name} never is {unknown}")


def rate(selector: str, window: str) -> str:
    """Increase a second over a window."""
    return f"rate({selector}[{window}])"


def increase(selector: str, window: str) -> str:
    """Increase over a window."""
    return f"increase({selector}[{window}])"


def risen(selector: str, window: str) -> str:
    """Increase over a window of a counter that rarely rises, its first value included.

    `increase` sees nothing where a series begins with the very event it counts.
    """
    return f"(increase({selector}[{window}]) > 0) or ({selector} > 0 unless {selector} offset {window})"


def sum_by(expression: str, *labels: str) -> str:
    """Sum that keeps labels, and those of the scrape."""
    return f"sum by ({', '.join((*SCRAPED, *labels))}) ({expression})"


def max_by(expression: str, *labels: str) -> str:
    """Maximum that keeps labels, and those of the scrape."""
    return f"max by ({', '.join((*SCRAPED, *labels))}) ({expression})"


def on(*labels: str) -> str:
    """Matching by labels, and those of the scrape."""
    return f"on ({', '.join((*SCRAPED, *labels))})"
