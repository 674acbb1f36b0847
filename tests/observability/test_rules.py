"""The rules on real promtool: they are valid, and every alert fires when it must and only then."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.shared.metrics.table import TABLE, exposed
from tests.observability.boards import metrics_in
from tests.observability.cases import CASES
from tests.observability.processes import needs
from tests.observability.promtool import Case, written
from tests.observability.rules import ALERTS, EVERY, GROUPS, RECORDED, ROOT, RULES
from tools.observability.__main__ import stale
from tools.observability.promql import Clock, select
from tools.observability.rules import RUNBOOKS

needs_promtool = needs("promtool")


NAMES = sorted({rule["alert"] for rule in ALERTS})


def promtool(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)


def test_the_generated_files_are_up_to_date() -> None:
    assert stale() == [], "run python -m tools.observability"


@needs_promtool
def test_prometheus_reads_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("alert", NAMES)
def test_alert(alert: str, tmp_path: Path) -> None:
    rules = [one for one in ALERTS if one["alert"] == alert]
    files = []
    for number, case in enumerate(one for one in CASES if one.alert == alert):
        files.append(tmp_path / f"{number}.yaml")
        test = written(case, rules, [str(one) for one in RULES], [group["name"] for group in GROUPS])
        files[-1].write_text(yaml.safe_dump(test))
    done = promtool("test", "rules", *map(str, files))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "rule", ALERTS, ids=lambda rule: f"{rule['alert']}{rule['labels'].get('window', '')}"
)
def test_every_alert_has_a_case_that_fires_and_one_that_does_not(rule: dict[str, Any]) -> None:
    mine: list[Case] = [one for one in CASES if one.alert == rule["alert"]]
    window = rule["labels"].get("window", "")
    assert [one for one in mine if window in {fired.window for fired in one.fires}]
    assert [one for one in mine if window not in {fired.window for fired in one.fires}]


@pytest.mark.parametrize("alert", NAMES)
def test_every_alert_has_a_runbook_that_says_what_to_do(alert: str) -> None:
    page = (ROOT / RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {alert}\n")
    for section in ("## What it means", "## Where to look", "## What to do"):
        assert section in page


def test_every_runbook_is_of_an_alert() -> None:
    assert {page.stem for page in (ROOT / RUNBOOKS).glob("*.md")} == set(NAMES)


def test_every_annotation_answers_its_question() -> None:
    for rule in ALERTS:
        assert set(rule["annotations"]) == {"summary", "since", "look", "do", "runbook_url"}
        assert all(rule["annotations"].values())
        assert "{{ $" in rule["annotations"]["summary"]


def test_every_metric_in_a_rule_is_in_the_table() -> None:
    known = {series for metric in TABLE for series in exposed(metric)}
    for rule in EVERY:
        assert metrics_in(rule["expr"]) <= known, rule


def test_every_recorded_series_that_is_read_is_recorded() -> None:
    read = {name for rule in EVERY for name in re.findall(r"twinstack:[\w:]+", rule["expr"])}
    assert read <= RECORDED


def test_a_label_that_the_table_does_not_have_is_refused() -> None:
    (metric,) = [one for one in TABLE if one.name == "twinstack_request_total"]
    with pytest.raises(ValueError, match="no label 'user'"):
        select(metric, user="me")
    with pytest.raises(ValueError, match="never is"):
        select(metric, role="king")
    with pytest.raises(ValueError, match="no series"):
        select(metric, "bucket")


def test_a_shortened_clock_shortens_every_window_but_not_below_the_shortest() -> None:
    assert Clock()("6h") == "6h"
    assert Clock(0.001)("6h") == "21600ms"
    assert Clock(0.001, shortest=2)("5m") == "2000ms"
    with pytest.raises(ValueError, match="no duration"):
        Clock()("soon")


@needs("amtool")
def test_the_example_of_a_route_is_one_that_alertmanager_takes(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/alerts-and-dashboards.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```text\n(.*?)```", page, re.S) if "receivers:" in block]
    path = tmp_path / "alertmanager.yml"
    path.write_text(example)
    done = subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    words = ["config", "routes", "test", f"--config.file={path}", "alertname=TwinstackDrift"]
    page_, ticket = (
        subprocess.run(
            ["amtool", *words, f"severity={severity}"], capture_output=True, text=True, check=True
        ).stdout
        for severity in ("page", "ticket")
    )
    assert page_.strip() == "operations,on-call"
    assert ticket.strip() == "operations,queue"


@needs("promtool")
def test_the_example_of_a_scrape_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/alerts-and-dashboards.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```text\n(.*?)```", page, re.S) if "rule_files:" in block]
    path = tmp_path / "prometheus.yml"
    path.write_text(example.replace("helm/", f"{ROOT}/helm/"))
    done = promtool("check", "config", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: 6 rules found" in done.stdout
