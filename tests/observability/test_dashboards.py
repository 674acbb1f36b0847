"""The dashboards say what they show, read what exists, and fit together."""

import re
from typing import Any

import pytest

from components.shared.metrics.table import TABLE, exposed
from tests.observability.boards import Drawn, boards, metrics_in, panels, queries
from tests.observability.rules import ALERTS, RECORDED

BOARDS = boards()


def test_there_is_one_dashboard_a_theme() -> None:
    assert set(BOARDS) == {"golden-signals", "llm", "drift", "data", "business"}
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
class TestBoard:
    def test_every_panel_says_what_it_shows_and_in_which_unit(self, name: str) -> None:
        for panel in panels(BOARDS[name]):
            assert len(panel["description"]) > 20, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["targets"], panel["title"]
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]

    def test_panels_have_numbers_of_their_own_and_do_not_overlap(self, name: str) -> None:
        ids = [panel["id"] for panel in BOARDS[name]["panels"]]
        assert len(set(ids)) == len(ids)
        taken: set[tuple[int, int]] = set()
        for panel in panels(BOARDS[name]):
            at = panel["gridPos"]
            cells = {
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            }
            assert at["x"] + at["w"] <= 24
            assert not cells & taken, panel["title"]
            taken |= cells

    def test_every_variable_that_is_read_is_declared(self, name: str) -> None:
        declared = {one["name"] for one in BOARDS[name]["templating"]["list"]}
        texts = [target["expr"] for panel in panels(BOARDS[name]) for target in panel["targets"]]
        read = {word for text in texts for word in re.findall(r"\$(\w+)", text)}
        assert read - {"__rate_interval"} <= declared == {"datasource", "namespace", "twin"}


@pytest.mark.parametrize("drawn", list(queries()), ids=lambda drawn: drawn.id)
def test_every_query_reads_what_exists(drawn: Drawn) -> None:
    table = {series for metric in TABLE for series in exposed(metric)}
    assert metrics_in(drawn.expr) <= table
    assert set(re.findall(r"twinstack:[\w:]+", drawn.expr)) <= RECORDED


def test_every_metric_of_the_table_is_on_a_dashboard_or_in_a_rule() -> None:
    texts = [drawn.expr for drawn in queries()] + [rule["expr"] for rule in ALERTS]
    shown = {name for text in texts for name in metrics_in(text)}
    # Read through the ratio that a rule records.
    shown |= {"twinstack_drift_threshold"}
    missing: list[Any] = [one.name for one in TABLE if not shown & set(exposed(one))]
    assert missing == []
