"""Cases of alerts as promtool test files: input series, a moment, and what fires then."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Fired:
    """One alert that fires.

    Attributes:
        labels: Its labels, without its name and those that the rule adds.
        value: How the value reads in the summary.
        since: Minute in which the condition began.
        window: Of the rule that fires, where several have the same name.
    """

    labels: Mapping[str, str] = field(default_factory=lambda: {"twin": "credit"})
    value: str = ""
    since: int = 0
    window: str = ""


@dataclass(frozen=True)
class Case:
    """One alert in one situation.

    Attributes:
        alert: Its name.
        title: The situation, in words.
        series: Selector to samples, `step` apart, in promtool's notation.
        at: The moment, in minutes.
        fires: What fires then; nothing where it is empty.
        step: Minutes between samples and between evaluations.
    """

    alert: str
    title: str
    series: Mapping[str, str]
    at: int
    fires: tuple[Fired, ...] = ()
    step: int = 1

    @property
    def id(self) -> str:
        return f"{self.alert} {'fires' if self.fires else 'is silent'} {self.title}"


def _expand(template: str, fired: Fired) -> str:
    """The few template forms that the alerts use; promtool's clock starts at the epoch."""
    if "ALERTS_FOR_STATE" in template:
        day, minute = divmod(fired.since, 24 * 60)
        return f"1970-01-{1 + day:02d} {minute // 60:02d}:{minute % 60:02d}:00 +0000 UTC"
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: fired.labels.get(found[1], ""), template)
    return re.sub(r"{{ \$value[^}]*}}", fired.value, text)


def _expected(fired: Fired, rules: Sequence[Rule]) -> dict[str, Any]:
    (rule,) = [one for one in rules if one["labels"].get("window", "") == fired.window]
    return {
        "exp_labels": {**rule["labels"], **fired.labels},
        "exp_annotations": {name: _expand(text, fired) for name, text in rule["annotations"].items()},
    }


def written(
    case: Case, rules: Sequence[Rule], rule_files: Sequence[str], groups: Sequence[str]
) -> dict[str, Any]:
    """What `promtool test rules` reads.

    Args:
        case: The situation.
        rules: The alerting rules of the case's name.
        rule_files: Paths of all rule files.
        groups: Names of all groups, those that record first: left to itself, promtool takes any order.
    """
    expected = [_expected(fired, rules) for fired in case.fires]
    return {
        "rule_files": list(rule_files),
        "group_eval_order": list(groups),
        "evaluation_interval": f"{case.step}m",
        "tests": [
            {
                "name": case.id,
                "interval": f"{case.step}m",
                "input_series": [{"series": name, "values": text} for name, text in case.series.items()],
                "alert_rule_test": [
                    {"eval_time": f"{case.at}m", "alertname": case.alert, "exp_alerts": expected}
                ],
            }
        ],
    }
