"""Dashboards become ConfigMaps that Grafana's sidecar finds."""

import json
import shutil
from pathlib import Path

from tests.helm.rendering import CHART, ci, render


def test_each_file_is_one_config_map(tmp_path: Path) -> None:
    chart = shutil.copytree(CHART, tmp_path / "twinstack")
    (chart / "files/dashboards").mkdir(parents=True, exist_ok=True)
    dashboard = {"title": "Example", "panels": [{"title": "{{twin}}"}]}
    (chart / "files/dashboards/example.json").write_text(json.dumps(dashboard, indent=2), encoding="utf-8")
    made = {
        it["metadata"]["name"]: it for it in render(ci("production-gpu"), "dashboards.yaml", chart=chart)
    }["twinstack-dashboard-example"]
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(made["data"]["twinstack-example.json"]) == dashboard


def test_every_dashboard_of_the_chart_is_rendered() -> None:
    files = sorted((CHART / "files/dashboards").glob("*.json"))
    made = render(ci("production-gpu"), "dashboards.yaml")
    assert [json.loads(text) for it in made for text in it["data"].values()] == [
        json.loads(path.read_text(encoding="utf-8")) for path in files
    ]
    assert render(ci("minimal"), "dashboards.yaml") == []
