"""Tables in files: how often texts come, however the file holds them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from components.adapters import tables

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
    }
    if how == "categorical":
        column = column.dictionary_encode()
    if how == "large":
        column = column.cast(pa.large_string())
    pq.write_table(pa.table({"kind.of": column}), path, **options[how])
    return path


@pytest.mark.parametrize(
    "how", ["row groups", "a dictionary that overflows", "plain", "categorical", "large", "csv"]
)
def test_texts_are_counted_however_the_file_holds_them(tmp_path: Path, how: str) -> None:
    with tables.opened(written(tmp_path, how)) as table:
        assert table.kinds["kind.of"] == "text"
        counted, missing = table.often("kind.of")
    assert missing == 500
    assert (counted["a"], counted["b"]) == (1000, 500)
    assert sum(counted.values()) + missing == len(TEXTS) == table.rows
    assert len(counted) == 1002 and counted["only 999"] == 1
