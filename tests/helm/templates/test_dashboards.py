"""Dashboards become ConfigMaps that Grafana's sidecar finds."""

import json
import shutil
from pathlib import Path

from tests.helm.rendering import CHART, Object, ci, render


def test_each_file_is_one_config_map(tmp_path: Path) -> None:
    chart = shutil.copytree(CHART, tmp_path / "twinstack")
    (chart / "files/dashboards").mkdir(parents=True, exist_ok=True)
    dashboard = {"title": "Example", "panels": [{"title": "{{twin}}"}]}
    (chart / "files/dashboards/example.json").write_text(json.dumps(dashboard, indent=2), encoding="utf-8")
    made = {
        it["metadata"]["name"]: it for it in render(ci("production-gpu"), "dashboards.yaml", chart=chart)
    }["twinstack-dashboard-example"]
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(made["data"]["twinstack-twinstack-example.json"]) == dashboard


def test_every_dashboard_of_the_chart_is_rendered() -> None:
    files = sorted((CHART / "files/dashboards").glob("*.json"))
    made = shown(render(ci("production-gpu"), "dashboards.yaml"))
    for path in files:
        board = json.loads(path.read_text(encoding="utf-8"))
        assert len(made[f"twinstack-twinstack-{path.name}"]["panels"]) == len(board["panels"])
    assert len(made) == len(files)
    assert render(ci("minimal"), "dashboards.yaml") == []


def shown(objects: list[Object]) -> dict[str, Object]:
    """Dashboards by the file that Grafana's sidecar writes."""
    return {name: json.loads(text) for it in objects for name, text in it["data"].items()}


def installed(namespace: str) -> Object:
    return ci("production-gpu", config={"cluster": {"namespace": namespace}})


def test_dashboards_of_two_namespaces_stand_side_by_side_and_see_their_own_series() -> None:
    here, there = (
        shown(render(installed(name), "dashboards.yaml", namespace=name)) for name in ("one", "two")
    )
    assert not {*here} & {*there}
    assert not {board["uid"] for board in here.values()} & {board["uid"] for board in there.values()}
    assert "Twinstack one: Golden signals" in {board["title"] for board in here.values()}
    for board in here.values():
        assert len(board["uid"]) <= 40, "Grafana takes no longer one"
        text = json.dumps(board)
        assert "namespace=~" not in text and '"two' not in text
        exprs = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        assert all('namespace="one"' in expr for expr in exprs)
