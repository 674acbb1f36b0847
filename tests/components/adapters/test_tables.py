"""Tables in files: how often texts come, however the file holds them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from components.adapters import tables
from components.dataflows.drift_window import Rule
from components.runtime import table_drift

#: Frequent ones, one without a value, and texts of one row each.
TEXTS = ["a", "b", None, "a"] * 500 + [f"only {number}" for number in range(1000)]


def written(folder: Path, how: str) -> Path:
    column = pa.array(TEXTS, pa.string())
    path = folder / ("table.csv" if how == "csv" else "table.parquet")
    if how == "csv":
        pyarrow.csv.write_csv(pa.table({"kind.of": column, "n": range(len(TEXTS))}), path)
        return path
    options: dict[str, dict[str, Any]] = {
        "row groups": {"row_group_size": 300},
        "a dictionary that overflows": {"dictionary_pagesize_limit": 64, "row_group_size": 700},
        "plain": {"use_dictionary": False},
        "categorical": {},
        "large": {},
        "view": {},
    }
    if how == "categorical":
        column = column.dictionary_encode()
    if how == "large":
        column = column.cast(pa.large_string())
    if how == "view":
        column = column.cast(pa.string_view())
    pq.write_table(pa.table({"kind.of": column}), path, **options[how])
    return path


@pytest.mark.parametrize(
    "how", ["row groups", "a dictionary that overflows", "plain", "categorical", "large", "view", "csv"]
)
def test_texts_are_counted_however_the_file_holds_them(tmp_path: Path, how: str) -> None:
    with tables.opened(written(tmp_path, how)) as table:
        assert table.kinds["kind.of"] == "text"
        counted, missing = table.often("kind.of")
    assert missing == 500
    assert (counted["a"], counted["b"]) == (1000, 500)
    assert sum(counted.values()) + missing == len(TEXTS) == table.rows
    assert len(counted) == 1002 and counted["only 999"] == 1


def test_a_column_of_type_null_fits_every_other_and_what_is_neither_number_nor_text_is_left_out(
    tmp_path: Path,
) -> None:
    rows, rule = 600, Rule(false_alarm_rate=0.01, smallest_psi=0.1, seed=1)
    made = {
        "amount": pa.array([Decimal("1.50"), None, Decimal("2.25")] * 200, pa.decimal128(6, 2)),
        "kind": pa.array(["a", "b", None] * 200, pa.string()),
        "when": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * rows, pa.timestamp("us", tz="Europe/Berlin")),
        "nested": pa.array([{"a": [1]}] * rows),
    }
    pq.write_table(pa.table(made), tmp_path / "before.parquet")
    pq.write_table(pa.table({name: pa.nulls(rows) for name in made}), tmp_path / "now.parquet")
    with (
        tables.opened(tmp_path / "before.parquet") as before,
        tables.opened(tmp_path / "now.parquet") as now,
    ):
        found = table_drift.compare(before, now, rule=rule)
        back = table_drift.compare(now, before, rule=rule)
    assert set(found.drifted) == set(back.drifted) == {"amount", "kind"}, "all of it is missing now"
    assert found.left_out == ("when", "nested")
