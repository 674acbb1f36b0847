"""`twin drift`: two tables in files, of mixed types, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from components.shared.errors import DataError
from pipelines.cli import app
from pipelines.drift import DriftError


def frame(rows: int, seed: int, shift: float = 0.0, kinds: str = "aab") -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": draw.normal(shift, size=rows),
            "count": draw.integers(0, 5, rows),
            "flag": draw.random(rows) < 0.3,
            "kind": pd.Series(draw.choice(list(kinds), rows)),
            "sparse": pd.Series(draw.choice([1.0, 2.0, np.nan], rows)),
            "nothing": pd.Series([np.nan] * rows, dtype="float64"),
            "at": pd.Timestamp("2026-01-01"),
        }
    )


def write(folder: Path, name: str, table: pd.DataFrame) -> str:
    path = folder / name
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return str(path)


def call(reference: str, current: str, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(
        app, ["drift", "--reference", reference, "--current", current, "--json", *words]
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_columns_of_every_type_are_compared(tmp_path: Path, ending: str) -> None:
    reference = write(tmp_path, f"reference.{ending}", frame(3000, 0))
    same = call(reference, write(tmp_path, f"same.{ending}", frame(1000, 1)))
    assert same["drifted"] == []
    assert same["rows_before"] == 3000 and same["rows"] == 1000
    assert {one["name"] for one in same["signals"]} >= {"amount", "count", "flag", "kind", "sparse"}
    assert "at" in same["left_out"]
    changed = frame(1000, 2, shift=1.0, kinds="abc")
    changed.loc[:600, "sparse"] = np.nan
    found = call(reference, write(tmp_path, f"changed.{ending}", changed))
    assert set(found["drifted"]) == {"amount", "kind", "sparse"}
    assert found["signals"][0]["drifted"]


def test_csv_and_parquet_of_the_same_table_give_the_same_numbers(tmp_path: Path) -> None:
    before, now = frame(2000, 3), frame(800, 4, shift=0.4)
    found = [
        call(write(tmp_path, f"before.{ending}", before), write(tmp_path, f"now.{ending}", now))["signals"]
        for ending in ("parquet", "csv")
    ]
    wanted = {"amount", "count", "kind", "sparse"}
    one, other = ({row["name"]: row["statistics"] for row in rows if row["name"] in wanted} for rows in found)
    assert one.keys() == other.keys() == wanted
    for name, statistics in one.items():
        assert statistics == pytest.approx(other[name]), name


def test_drift_can_be_an_error_and_the_page_escapes_names(tmp_path: Path) -> None:
    name = "<b>$x$</b>"
    before = write(tmp_path, "a.parquet", frame(1000, 0).rename(columns={"amount": name}))
    now = write(tmp_path, "b.parquet", frame(1000, 1, shift=2).rename(columns={"amount": name}))
    page = tmp_path / "drift.html"
    with pytest.raises(DriftError, match="1 columns drifted") as error:
        call(before, now, "--html", str(page), "--fail-on-drift", "--column", name, "--column", "kind")
    assert error.value.exit_code == 22
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in text and "<b>$x" not in text and "data:image/png;base64," in text


def test_a_column_that_loses_all_values_drifts(tmp_path: Path) -> None:
    before, now = frame(1000, 0), frame(1000, 1)
    now["amount"] = np.nan
    found = call(write(tmp_path, "a.parquet", before), write(tmp_path, "b.parquet", now))
    assert found["drifted"] == ["amount"]


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        (frame(10, 0), frame(10, 0).drop(columns=["kind", "flag"]), "2 columns are missing: flag, kind"),
        (frame(10, 0), frame(10, 0).assign(amount="text"), "column 'amount' is text here and number in"),
        (frame(10, 0), frame(0, 0), "the table has no row"),
        (frame(10, 0)[["at"]], frame(10, 0)[["at"]], "no column is a number or a text"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, before: pd.DataFrame, now: pd.DataFrame, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        call(write(tmp_path, "a.parquet", before), write(tmp_path, "b.parquet", now))


@pytest.mark.parametrize(
    ("name", "content"), [("a.parquet", b"PAR1"), ("a.csv", b""), ("b.csv", b"\xff\xfe\x00,\n")]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read|no row"):
        call(str(tmp_path / name), str(tmp_path / name))
    with pytest.raises(DataError, match="cannot be read"):
        call(str(tmp_path / "gone.parquet"), str(tmp_path / name))


def test_a_column_that_comes_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,a\n1,2,3\n")
    with pytest.raises(DataError, match="columns a come twice"):
        call(str(tmp_path / "a.csv"), str(tmp_path / "a.csv"))


def test_whole_numbers_that_become_fractions_later_in_a_csv_are_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"amount": [*map(str, range(1000)), "0.5"]})
    path = write(tmp_path, "a.csv", table)
    assert call(path, path)["drifted"] == []


@pytest.mark.parametrize("kind", ["1.5", "text"])
def test_a_csv_column_that_loses_all_values_drifts(tmp_path: Path, kind: str) -> None:
    before = pd.DataFrame({"x": [kind] * 1000, "y": range(1000)})
    now = before.assign(x=None)
    found = call(write(tmp_path, "a.csv", before), write(tmp_path, "b.csv", now))
    assert found["drifted"] == ["x"]
