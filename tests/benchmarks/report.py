"""Rows of a benchmark and how they are shown."""

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One number, what it is held against, and the budget where the design names one."""

    what: str
    value: float
    unit: str
    base: float | None = None
    base_what: str = ""
    budget: str = ""


def show(rows: Sequence[Row]) -> None:
    """Print every row, with the machine's load, without which a time means little."""
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    for row in rows:
        line = f"{row.what:<52} {row.value:>9.3f} {row.unit:<9}"
        if row.base is not None:
            line += f" {row.base:>9.3f} {row.base_what:<34} ratio {row.value / row.base:6.3f}"
        print(f"{line}  {row.budget}".rstrip())
