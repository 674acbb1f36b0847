"""Stage collect, tables: incremental, deletions honoured, broken files named."""

from pathlib import Path

import pytest

from components.collect import core
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import DataError


def context(folder: Path) -> Context:
    return Context(load(folder / "twinstack.yaml"), "credit", "collect")


def test_rows_get_ids_and_event_times_by_their_number(corpus: Path) -> None:
    core.run(context(corpus))
    row = context(corpus).stores.warehouse.get("rows", "credit/A0002")
    assert row is not None
    assert row["event_time"] == "2024-01-01T17:31:12+00:00"
    assert row["values"]["credit_amount"] == "5951"


@pytest.mark.parametrize("step", [10_000_000, 10**12])
def test_rows_that_would_happen_too_late_name_the_distance_between_them(corpus: Path, step: int) -> None:
    path = corpus / "twinstack.yaml"
    wanted = f"    table:\n      event_time: {{step_seconds: {step}}}\n"
    path.write_text(path.read_text().replace("    table:\n", wanted))
    with pytest.raises(DataError, match=rf"{step} s apart, from 2024.*; table\.event_time\.step_seconds; "):
        core.run(context(corpus))
    assert context(corpus).stores.warehouse.count("rows") == 0


def test_only_the_changed_row_is_written_again(corpus: Path) -> None:
    core.run(context(corpus))
    path = corpus / "credit.csv"
    path.write_text(path.read_text().replace(",1169,", ",1170,", 1))
    made = core.run(context(corpus))
    assert (made.facts["added_or_changed"], made.facts["deleted"], made.facts["rows"]) == (1, 0, 1000)


def test_rows_that_are_gone_are_deleted(corpus: Path) -> None:
    core.run(context(corpus))
    path = corpus / "credit.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:501]) + "\n")
    assert core.run(context(corpus)).facts["deleted"] == 500
    assert context(corpus).stores.warehouse.count("rows", twin="credit") == 500


def test_a_missing_file_is_named(corpus: Path) -> None:
    (corpus / "credit.csv").unlink()
    with pytest.raises(DataError, match=r"No such file.*credit\.csv.*table\.path"):
        core.run(context(corpus))


def test_a_row_of_another_length_is_named_by_line_and_nothing_is_lost(corpus: Path) -> None:
    core.run(context(corpus))
    path = corpus / "credit.csv"
    path.write_text(path.read_text() + "1,2,3\n")
    with pytest.raises(DataError, match=r"row 1001 has 3 cells, the header has 21.*line 1002"):
        core.run(context(corpus))
    assert context(corpus).stores.warehouse.count("rows", twin="credit") == 1000


def test_an_id_that_comes_twice_is_named_by_its_lines_and_nothing_is_lost(corpus: Path) -> None:
    core.run(context(corpus))
    path = corpus / "credit.csv"
    header, *lines = path.read_text().splitlines()
    numbered = [f"applicant_id,{header}", *(f"N{at},{line}" for at, line in enumerate(lines))]
    path.write_text("\n".join([*numbered, f"N7,{lines[0]}"]) + "\n")
    with pytest.raises(DataError, match=r"applicant_id 'N7' occurs twice.*lines 9 and 1002"):
        core.run(context(corpus))
    assert context(corpus).stores.warehouse.get("rows", "credit/A0001") is not None


def test_an_empty_id_is_named_by_its_line_and_nothing_is_lost(corpus: Path) -> None:
    core.run(context(corpus))
    path = corpus / "credit.csv"
    header, *lines = path.read_text().splitlines()
    numbered = [
        f"applicant_id,{header}",
        *(f"N{at},{line}" for at, line in enumerate(lines)),
        f" ,{lines[0]}",
    ]
    path.write_text("\n".join(numbered))
    with pytest.raises(DataError, match=r"applicant_id of row 1001 is empty.*line 1002"):
        core.run(context(corpus))
    assert context(corpus).stores.warehouse.get("rows", "credit/A0002") is not None


def test_a_byte_order_mark_is_no_part_of_the_first_columns_name(corpus: Path) -> None:
    path = corpus / "credit.csv"
    header, *lines = path.read_text().splitlines()
    numbered = [f"applicant_id,{header}", *(f"N{at},{line}" for at, line in enumerate(lines))]
    path.write_text("\n".join(numbered), encoding="utf-8-sig")
    core.run(context(corpus))
    assert context(corpus).stores.warehouse.get("rows", "credit/N7") is not None


def test_a_missing_column_is_named(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_text(path.read_text().replace("credit_amount", "amount", 1))
    with pytest.raises(DataError, match=r"columns \['credit_amount'\] are missing"):
        core.run(context(corpus))


def test_a_file_that_is_not_utf8_is_named(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_bytes(path.read_bytes() + b"\xe9\n")
    with pytest.raises(DataError, match=r"not UTF-8: byte 0xe9"):
        core.run(context(corpus))


def test_a_table_without_rows_is_an_error(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match="no rows"):
        core.run(context(corpus))


def test_a_column_that_is_there_twice_is_refused(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_text(path.read_text().replace("telephone", "job", 1))
    text = (corpus / "twinstack.yaml").read_text()
    (corpus / "twinstack.yaml").write_text(text.replace("        telephone: {type: text}\n", ""))
    with pytest.raises(DataError, match=r"columns \['job'\] are there more than once"):
        core.run(context(corpus))


def test_a_header_that_no_dataflow_could_use_gets_a_name(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_text(path.read_text().replace("credit_amount", "Höhe des Kredits (€)", 1))
    text = (corpus / "twinstack.yaml").read_text()
    (corpus / "twinstack.yaml").write_text(
        text.replace("credit_amount: {", "credit_amount: {header: Höhe des Kredits (€), ")
    )
    core.run(context(corpus))
    row = context(corpus).stores.warehouse.get("rows", "credit/A0002")
    assert row is not None
    assert row["values"]["credit_amount"] == "5951"


def test_another_separator_than_a_comma_is_told(corpus: Path) -> None:
    path = corpus / "credit.csv"
    path.write_text(path.read_text().replace(",", ";"))
    with pytest.raises(DataError, match="separate the cells by commas, not by ';'"):
        core.run(context(corpus))
