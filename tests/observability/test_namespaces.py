"""Two installations under one Prometheus, on real promtool: the rules of each see their own series only."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.rendering import ci, render
from tests.observability.processes import needs

#: A twin of the same name fails a fifth of its requests in both, and a release cannot be opened in one.
SERIES = {
    **{
        f'twinstack_request_total{{namespace="{namespace}",twin="credit",release="r1",role="champion",'
        f'route="predict_v1",code="{code}"}}': values
        for namespace in ("strict", "lenient")
        for code, values in (("200", "0+80x70"), ("500", "0+20x70"))
    },
    'twinstack_release_failed{namespace="lenient",twin="credit",release="r2"}': "1x70",
}


def rules(folder: Path, namespace: str, availability: float) -> list[dict[str, Any]]:
    """Rule files of an installation, as its PrometheusRules hold them, and their groups."""
    cluster = {"cluster": {"namespace": namespace}}
    objectives = {"rules": {"objectives": {"availability": availability}}}
    made = render(
        ci("production-gpu", monitoring=objectives, config=cluster),
        "prometheus-rules.yaml",
        namespace=namespace,
    )
    for number, it in enumerate(made):
        (folder / f"{namespace}-{number}.yaml").write_text(yaml.safe_dump(it["spec"]), encoding="utf-8")
    return [group for it in made for group in it["spec"]["groups"]]


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    groups = [*rules(tmp_path, "strict", 0.995), *rules(tmp_path, "lenient", 0.5)]
    names = list(dict.fromkeys(group["name"] for group in groups))
    fired = [
        {
            "labels": f'{{alertname="TwinstackAvailabilityBurn",namespace="strict",window="{window}"}}',
            "value": 1,
        }
        for window in ("1h", "6h", "3d")
    ]
    fired.append({"labels": '{alertname="TwinstackReleaseFailed",namespace="lenient"}', "value": 1})
    content = {
        "rule_files": [str(path) for path in sorted(tmp_path.glob("*.yaml"))],
        "group_eval_order": names,
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "promql_expr_test": [
                    {
                        "expr": "count by (alertname, namespace, window) "
                        '(ALERTS{alertname=~"TwinstackAvailabilityBurn|TwinstackReleaseFailed",'
                        'alertstate="firing"})',
                        "eval_time": "65m",
                        "exp_samples": fired,
                    }
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@needs("promtool")
def test_each_installation_fires_for_its_own_series_by_its_own_objectives(test_file: Path) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(test_file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_looks_beyond_its_namespace(tmp_path: Path) -> None:
    for group in rules(tmp_path, "strict", 0.995):
        for rule in group["rules"]:
            assert "namespace=~" not in rule["expr"]
            if not rule["expr"].startswith("vector("):
                assert rule["expr"].count("{") == rule["expr"].count('{namespace="strict"')
