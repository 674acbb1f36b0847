"""Drift between two tables in files: `twin drift`."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from components.adapters.tables import Kind, Table
from components.dataflows import drift, drift_reference, drift_window, sketches
from components.dataflows.drift_window import Drift, Rule
from components.shared.errors import DataError


@dataclass(frozen=True)
class Compared:
    """Drift of a table.

    Attributes:
        rows_before: Rows of the reference.
        rows: Rows of the current table.
        signals: Drift of each column, the most suspicious first.
        left_out: Columns that are neither numbers nor texts.
    """

    rows_before: int
    rows: int
    signals: tuple[Drift, ...]
    left_out: tuple[str, ...]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns that drifted."""
        return tuple(one.name for one in self.signals if one.drifted)


def compare(
    before: Table, now: Table, *, columns: Sequence[str] = (), bins: int = 10, rule: Rule
) -> Compared:
    """Every column of the reference against the same column of the current table.

    Memory holds one column of either table a thread, whatever the tables' size.

    Args:
        before: The reference.
        now: The current table; columns that the reference does not have are passed over.
        columns: Only these; empty takes all.
        bins: Most quantile bins of a number.
        rule: When a distance counts as drift.

    Raises:
        DataError: A column is missing, or is a number in one table and text in the other.
    """
    wanted = list(columns) or list(before.kinds)
    for table in (before, now):
        if gone := [name for name in wanted if name not in table.kinds]:
            raise DataError(
                f"{len(gone)} columns are missing: {', '.join(gone[:10])}",
                where=str(table.path),
                remedy="name the columns to compare with --column",
            )
    kinds = {name: _kind(before, now, name) for name in wanted}
    kept = [name for name in wanted if kinds[name] != "other"]
    if not kept:
        raise DataError("no column is a number or a text", where=str(before.path))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda name: _column(before, now, name, kinds[name], bins, rule), kept))
    left_out = tuple(name for name in wanted if name not in kept)
    return Compared(before.rows, now.rows, tuple(drift_window.ranked(found)), left_out)


def _kind(before: Table, now: Table, name: str) -> Kind:
    """What a column is compared as; one without any value fits everything.

    Raises:
        DataError: It is a number in one table and text in the other.
    """
    one, other = before.kinds[name], now.kinds[name]
    if "empty" in (one, other):
        found = other if one == "empty" else one
        return "number" if found == "empty" else found
    if one != other:
        raise DataError(
            f"column '{name}' is {other} here and {one} in {before.path}",
            where=str(now.path),
            remedy="write both with the same type, or name the columns to compare with --column",
        )
    return one


def _column(before: Table, now: Table, name: str, kind: Kind, bins: int, rule: Rule) -> Drift:
    if kind == "text":
        frozen = drift_reference.category(name, *before.often(name))
        counted, missing = now.often(name)
        known = [counted.pop(value, 0) for value in frozen.known]
        counts = np.array([*known, sum(counted.values()), missing], dtype=float)
        return drift_window.of_bins(frozen, counts, rule)
    signal = drift_reference.numeric(name, before.numbers(name), bins)
    values = now.numbers(name)
    sketch = sketches.sketch()
    sketches.update(sketch, drift.sample(values))
    counts = drift.counts(values, np.asarray(signal.edges))
    return drift_window.of_bins(signal, counts, rule, sketch)
