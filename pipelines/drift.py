"""`twin drift`: two tables compared on the command line."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.adapters import tables
from components.dataflows.drift_window import Drift, Rule
from components.runtime import drift_report, table_drift
from components.runtime.table_drift import Compared
from components.shared.errors import TwinError
from components.shared.files import write_atomic
from pipelines import output


class DriftError(TwinError):
    """Drift was found where none was to be."""

    exit_code = 22


def compare(
    before: Path, now: Path, *, columns: list[str], bins: int, rule: Rule, html: Path | None
) -> dict[str, Any]:
    """Compare two files; `seconds` is reading and computing, without drawing.

    Raises:
        DataError: A file cannot be read, or its columns do not fit the other's.
    """
    start = time.perf_counter()
    with tables.opened(before) as reference, tables.opened(now) as current:
        found = table_drift.compare(reference, current, columns=columns, bins=bins, rule=rule)
    seconds = time.perf_counter() - start
    if html:
        described = _described(found, before, now)
        write_atomic(html, drift_report.html(f"Drift of {now.name}", described, found.signals))
    return {
        "rows_before": found.rows_before,
        "rows": found.rows,
        "drifted": list(found.drifted),
        "left_out": list(found.left_out),
        "seconds": round(seconds, 3),
        "signals": [{**asdict(one), "drifted": one.drifted} for one in found.signals],
    }


def _described(found: Compared, before: Path, now: Path) -> str:
    left = f" Left out, neither number nor text: {', '.join(found.left_out)}." if found.left_out else ""
    return f"{found.rows:,} rows of {now.name} against {found.rows_before:,} of {before.name}.{left}"


def show(made: dict[str, Any]) -> None:
    """The result for people."""
    rows = []
    for one in made["signals"]:
        signal = Drift(**{name: value for name, value in one.items() if name != "drifted"})
        row = {
            "column": signal.name,
            "PSI": f"{signal.statistic:.4f}",
            "threshold": f"{signal.threshold:.4f}",
        }
        row |= {name.upper(): _four(signal.statistics.get(name)) for name in ("js", "ks")}
        rows.append({**row, "drifted": "yes" if one["drifted"] else "no"})
    output.table("Drift", rows)
    if made["left_out"]:
        output.say(f"left out, neither number nor text: {', '.join(made['left_out'])}")
    output.say(
        f"{len(made['drifted'])} of {len(rows)} columns drifted in {made['rows']:,} rows; "
        f"{made['seconds']:.2f} s"
    )


def _four(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def refuse(made: dict[str, Any]) -> None:
    """Fail where a column drifted.

    Raises:
        DriftError: One did.
    """
    if made["drifted"]:
        raise DriftError(
            f"{len(made['drifted'])} columns drifted: {', '.join(made['drifted'][:10])}",
            remedy="look at the report of --html; docs/how-to/watch-drift.md says what to do",
        )
