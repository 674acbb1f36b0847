"""Rule files become PrometheusRules, with the objectives and the runbooks of the site."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart, HelmError

from tests.helm.rendering import CHART, NAMESPACE, ci, one, render

RULES = """groups:
  - name: twinstack-example
    rules:
      - alert: TwinstackExample
        expr: up == 0
        annotations: {summary: "{{ $labels.twin }} is away"}
"""


def test_each_file_is_one_object_and_its_templates_stay(tmp_path: Path) -> None:
    chart = shutil.copytree(CHART, tmp_path / "twinstack")
    (chart / "files/rules").mkdir(parents=True, exist_ok=True)
    (chart / "files/rules/an_example.yaml").write_text(RULES, encoding="utf-8")
    made = {
        it["metadata"]["name"]: it
        for it in render(ci("production-gpu"), "prometheus-rules.yaml", chart=chart)
    }
    assert made["twinstack-an-example"]["spec"] == yaml.safe_load(RULES)
    assert made["twinstack-an-example"]["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_alerts_name_their_runbook_where_the_site_publishes_it() -> None:
    rules = {"rules": {"runbooks": "https://docs.example.org/twinstack/"}}
    made = render(ci("production-gpu", monitoring=rules), "prometheus-rules.yaml")
    alerts = [
        rule for it in made for group in it["spec"]["groups"] for rule in group["rules"] if "alert" in rule
    ]
    pages = {rule["annotations"]["runbook_url"] for rule in alerts}
    assert "https://docs.example.org/twinstack/docs/runbooks/TwinstackDrift.md" in pages
    assert all(page.startswith("https://docs.example.org/twinstack/docs/runbooks/") for page in pages)


def test_the_objectives_are_those_of_the_values() -> None:
    site = {"availability": 0.99, "llm": {"seconds": "10.0"}, "dataAgeSeconds": 3600}
    made = render(ci("production-gpu", monitoring={"rules": {"objectives": site}}), "prometheus-rules.yaml")
    (group,) = one(made, "PrometheusRule", "twinstack-objectives")["spec"]["groups"]
    found = {(rule["record"], rule.get("labels", {}).get("le")): rule["expr"] for rule in group["rules"]}
    assert found == {
        ("twinstack:objective_availability:ratio", None): "vector(0.99)",
        ("twinstack:objective_latency:ratio", "0.25"): "vector(0.99)",
        ("twinstack:objective_latency:ratio", "10.0"): "vector(0.95)",
        ("twinstack:objective_data_age:seconds", None): "vector(3600)",
        ("twinstack:objective_monitor_age:seconds", None): "vector(93600)",
        ("twinstack:objective_presence:bool", None): "vector(1)",
    }


def test_fronts_that_knative_takes_away_while_nobody_asks_need_not_be_there() -> None:
    values = ci("air-gapped", monitoring={"rules": {"enabled": True}})
    made = render(values, "prometheus-rules.yaml")
    (group,) = one(made, "PrometheusRule", "twinstack-objectives")["spec"]["groups"]
    presence = [rule for rule in group["rules"] if rule["record"] == "twinstack:objective_presence:bool"]
    assert [(rule["expr"], rule["labels"]) for rule in presence] == [
        ("vector(1)", {"namespace": NAMESPACE}),
        ("vector(0)", {"namespace": NAMESPACE, "twin": "docs"}),
    ]


@pytest.mark.parametrize(
    "rules",
    [
        {"objectives": {"llm": {"seconds": "3.0"}}},
        {"objectives": {"availability": 1}},
        {"runbooks": "https://docs.example.org"},
        {"runbooks": "javascript:/"},
    ],
)
def test_an_objective_that_nothing_measures_is_refused(rules: dict[str, object]) -> None:
    with Chart.load(CHART) as chart, pytest.raises(HelmError, match="monitoring"):
        chart.validate_schema(ci("production-gpu", monitoring={"rules": rules}))


def scoped(path: Path) -> Any:
    """Content of a rule file as it holds in one namespace."""
    text = path.read_text(encoding="utf-8").replace('namespace=~".*"', f'namespace="{NAMESPACE}"')
    found = yaml.safe_load(text)
    if path.stem == "objectives":
        for rule in found["groups"][0]["rules"]:
            rule["labels"] = {"namespace": NAMESPACE, **rule.get("labels", {})}
    return found


def test_every_rule_file_of_the_chart_is_rendered() -> None:
    files = sorted((CHART / "files/rules").glob("*.yaml"))
    made = render(ci("production-gpu"), "prometheus-rules.yaml")
    assert [scoped(path) for path in files] == [it["spec"] for it in made]
    assert render(ci("minimal"), "prometheus-rules.yaml") == []
