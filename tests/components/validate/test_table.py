"""Stage validate, tables: types and ranges; every bad cell named; what is good is frozen."""

from pathlib import Path

import pandas as pd
import pytest

from components.collect import core as collect
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.validate import core


def validated(folder: Path) -> Manifest:
    config = load(folder / "twinstack.yaml")
    collected = collect.run(Context(config, "credit", "collect"))
    return core.run(Context(config, "credit", "validate"), collected)


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "credit.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_columns_have_their_declared_types(corpus: Path) -> None:
    frame = pd.read_parquet(validated(corpus).folder / "table.parquet")
    assert len(frame) == 1000
    assert str(frame["credit_amount"].dtype) == "int64"
    assert str(frame["event_timestamp"].dtype) == "datetime64[us, UTC]"
    assert set(frame["purpose"].map(type)) == {str}
    assert list(frame.columns[:2]) == ["applicant_id", "event_timestamp"]


def test_a_wrong_type_names_line_column_and_value(corpus: Path) -> None:
    edit(corpus, ",1169,", ",a lot,")
    with pytest.raises(
        DataError, match=r"1 of 1000 rows are bad.*line 2, credit_amount is 'a lot', not an integer"
    ):
        validated(corpus)


def test_a_fraction_is_no_integer(corpus: Path) -> None:
    edit(corpus, ",1169,", ",1169.5,")
    with pytest.raises(DataError, match=r"credit_amount is '1169\.5', not an integer"):
        validated(corpus)


def test_a_value_out_of_range_names_the_rule(corpus: Path) -> None:
    edit(corpus, ",1169,", ",-5,")
    with pytest.raises(DataError, match=r"line 2, credit_amount is -5.*greater_than_or_equal_to\(1"):
        validated(corpus)


def test_an_unknown_label_is_named(corpus: Path) -> None:
    edit(corpus, ",yes,good", ",yes,perhaps")
    with pytest.raises(DataError, match=r"creditability is 'perhaps'.*isin"):
        validated(corpus)


def test_an_empty_cell_is_named(corpus: Path) -> None:
    edit(corpus, ",radio/television,", ",,")
    with pytest.raises(DataError, match="purpose is empty"):
        validated(corpus)


def test_an_optional_cell_may_be_empty_and_is_missing(corpus: Path) -> None:
    edit(corpus, ",radio/television,", ",,")
    edit(corpus, ",1169,", ",,")
    path = corpus / "twinstack.yaml"
    text = path.read_text().replace("purpose: {", "purpose: {optional: true, ")
    path.write_text(text.replace("credit_amount: {", "credit_amount: {optional: true, "))
    frame = pd.read_parquet(validated(corpus).folder / "table.parquet")
    assert len(frame) == 1000
    assert list(frame.index[frame["credit_amount"].isna()]) == [0]
    assert list(frame.index[frame["purpose"] == ""]) == [0]
    edit(corpus, ",5951,", ",a lot,")
    with pytest.raises(DataError, match=r"1 of 1000 rows are bad.*credit_amount is 'a lot'"):
        validated(corpus)


def test_infinity_is_no_number(corpus: Path) -> None:
    edit(corpus, ",1169,", ",inf,")
    with pytest.raises(DataError, match=r"credit_amount is 'inf', not an integer"):
        validated(corpus)


def test_bad_rows_are_named_in_the_order_of_the_file(corpus: Path) -> None:
    path = corpus / "credit.csv"
    rows = path.read_text().splitlines()
    ids = ["applicant_id", *(str(number) for number in range(1, len(rows)))]  # 10 sorts before 2
    for number in (2, 10, 100):
        rows[number] = rows[number].replace(",bad", ",?").replace(",good", ",?")
    path.write_text("".join(f"{one},{row}\n" for one, row in zip(ids, rows, strict=True)))
    with pytest.raises(DataError, match=r"line 3, creditability.*line 11, creditability.*line 101, cred"):
        validated(corpus)


def test_bad_rows_are_left_out_where_that_is_allowed(corpus: Path) -> None:
    edit(corpus, ",1169,", ",a lot,")
    text = (
        (corpus / "twinstack.yaml")
        .read_text()
        .replace("      label: cred", "      max_rejected: 0.01\n      label: cred")
    )
    (corpus / "twinstack.yaml").write_text(text)
    assert validated(corpus).facts["rows"] == 999


def test_running_again_gives_the_same_version_without_work(corpus: Path) -> None:
    first, second = validated(corpus), validated(corpus)
    assert second.version == first.version
    assert second.skipped


def test_a_warehouse_that_moved_on_is_noticed(corpus: Path) -> None:
    config = load(corpus / "twinstack.yaml")
    collected = collect.run(Context(config, "credit", "collect"))
    edit(corpus, ",1169,", ",1170,")
    collect.run(Context(config, "credit", "collect"))
    with pytest.raises(DataError, match=r"no longer holds version .* `twin run collect --twin credit`, then"):
        core.run(Context(config, "credit", "validate"), collected)
