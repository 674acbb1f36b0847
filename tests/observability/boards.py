"""The generated dashboards as tests read them, and the metrics in their queries."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "helm/twinstack/files/dashboards"

#: What Grafana would put in the place of its variables: everything, over a few scrapes.
CHOICES = {"$namespace": ".*", "$twin": ".*", "$__rate_interval": "10s"}


@dataclass(frozen=True)
class Drawn:
    """One query of a panel."""

    board: str
    panel: str
    expr: str

    @property
    def id(self) -> str:
        return f"{self.board}: {self.panel}"

    @property
    def query(self) -> str:
        """As Grafana would send it."""
        text = self.expr
        for name, value in CHOICES.items():
            text = text.replace(name, value)
        return text


def boards() -> dict[str, dict[str, Any]]:
    """Dashboards by the name of their file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Graphs of a dashboard, without its rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Drawn]:
    """Every query of every panel."""
    for name, board in boards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                yield Drawn(name, panel["title"], target["expr"])


def metrics_in(expression: str) -> set[str]:
    """Names of the scraped series that an expression reads; recorded ones have a colon and do not count."""
    words = re.findall(r"(?<![\w:])twinstack_\w+(?![\w:])", re.sub(r'"[^"]*"', "", expression))
    return set(words)
