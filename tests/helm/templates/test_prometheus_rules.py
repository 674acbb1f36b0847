"""Rule files become PrometheusRules, as they are."""

import shutil
from pathlib import Path

import yaml

from tests.helm.rendering import CHART, ci, render

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


def test_every_rule_file_of_the_chart_is_rendered() -> None:
    files = sorted((CHART / "files/rules").glob("*.yaml"))
    made = render(ci("production-gpu"), "prometheus-rules.yaml")
    assert [it["spec"] for it in made] == [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    assert render(ci("minimal"), "prometheus-rules.yaml") == []
