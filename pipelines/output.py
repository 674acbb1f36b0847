"""What commands print."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_CONFIG = Path("twinstack.yaml")
DEFAULT_URL = "http://127.0.0.1:8080"


def say(text: str) -> None:
    """Lines for people."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """How far long work is; not on standard output, which may be read by a program."""
    sys.stderr.write(text + "\n")


def emit_json(value: Any) -> None:
    """One JSON object for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of the same fields as a table, in full: a cell is folded, never cut."""
    from rich.table import Table

    grid = Table(title=title, title_justify="left", expand=False)
    for name in rows[0] if rows else ("nothing yet",):
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(str(value) for value in row.values()))
    wide(160).print(grid)


def wide(columns: int) -> "Console":
    """A console as wide as the terminal; into a pipe, which has no width, so many columns."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=columns)
