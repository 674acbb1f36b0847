"""Recording and alerting rules as data, and their YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from tools.observability.promql import SCRAPED

#: `page` wakes a person, `ticket` waits for the working day.
Severity = Literal["page", "ticket"]

#: Where runbooks lie; the chart puts the address of the site's documentation before it.
RUNBOOKS = "docs/runbooks/"


@dataclass(frozen=True)
class Record:
    """A recording rule.

    Attributes:
        name: `level:metric:operation`, as Prometheus recommends.
        expr: PromQL.
        labels: Added to every sample.
    """

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def object(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        found: dict[str, Any] = {"record": self.name, "expr": self.expr}
        return found | ({"labels": dict(self.labels)} if self.labels else {})


@dataclass(frozen=True)
class Alert:
    """An alerting rule; its annotations answer the four questions of whoever is called.

    Attributes:
        name: `Twinstack` and what is wrong.
        expr: PromQL; its value is what `what` shows.
        lasting: How long it must hold.
        severity: Who is called.
        what: One sentence, templated with labels and value.
        look: Where to look.
        do: What to do.
        by: Labels that tell one alert from another, beside those of the scrape.
        window: Tells rules of one name apart.
    """

    name: str
    expr: str
    lasting: str
    severity: Severity
    what: str
    look: str
    do: str
    by: tuple[str, ...] = ("twin",)
    window: str = ""

    def object(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        window = {"window": self.window} if self.window else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasting,
            "labels": {"severity": self.severity, **window},
            "annotations": {
                "summary": self.what,
                "since": self._since(),
                "look": self.look,
                "do": self.do,
                "runbook_url": f"{RUNBOOKS}{self.name}.md",
            },
        }

    def _since(self) -> str:
        """The time from which on the expression held, which Prometheus keeps in a series of its own."""
        labels = [*SCRAPED, *self.by]
        matchers = ",".join(
            [
                f"alertname='{self.name}'",
                *([f"window='{self.window}'"] if self.window else []),
                *(f"{one}='%s'" for one in labels),
            ]
        )
        values = " ".join(f"$labels.{one}" for one in labels)
        series = f'printf "ALERTS_FOR_STATE{{{matchers}}}" {values}'
        return (
            f"{{{{ with {series} | query }}}}{{{{ . | first | value | humanizeTimestamp }}}}"
            f"{{{{ else }}}}less than one evaluation ago{{{{ end }}}}"
        )


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: Sequence[Record | Alert]
    interval: str = ""

    def object(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        interval = {"interval": self.interval} if self.interval else {}
        return {"name": self.name, **interval, "rules": [rule.object() for rule in self.rules]}


def to_yaml(groups: Sequence[Group]) -> str:
    """A Prometheus rule file."""
    return yaml.safe_dump(
        {"groups": [group.object() for group in groups]},
        sort_keys=False,
        width=110,
        allow_unicode=True,
    )
