"""Labels join once, queues draw the same and nothing twice, exports hold what was said, old things go."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.adapters.warehouse.contract import Warehouse
from components.runtime.history import export, interactions, labels, queue
from components.shared.config import load
from components.shared.errors import DataError, NotFoundError
from components.shared.interactions import FEEDBACK, INTERACTIONS, LABELLING, LABELS, Label
from tests.components.runtime.history.conftest import answered, said

ROOT = Path(__file__).resolve().parents[4]


def label(number: int, value: str | float = 1.0, day: int = 1, **over: Any) -> Label:
    time = f"2026-02-{day:02d}T00:00:00+00:00"
    return Label(**{"request_id": f"r{number}", "twin": "docs", "value": value, "event_time": time, **over})


class TestLabels:
    def test_the_same_file_again_changes_nothing(self, warehouse: Warehouse) -> None:
        for number in range(3):
            answered(warehouse, number)
        rows = [label(number) for number in range(4)]
        first = labels.add(warehouse, rows)
        assert first == {"added": 4, "changed": 0, "unchanged": 0, "without_interaction": 1}
        stored = list(warehouse.scan(LABELS))
        assert labels.add(warehouse, rows)["unchanged"] == 4
        assert list(warehouse.scan(LABELS)) == stored

    @pytest.mark.parametrize("turned", [False, True])
    def test_of_two_labels_the_later_event_holds_in_whatever_order_they_come(
        self, warehouse: Warehouse, turned: bool
    ) -> None:
        one = answered(warehouse, 1)
        rows = [label(1, "good", 1), label(1, "bad", 2)]
        for row in rows[::-1] if turned else rows:
            labels.add(warehouse, [row])
        assert [found.value for found in interactions.labels_of(warehouse, one)] == ["bad"]

    def test_instances_of_a_request_have_labels_of_their_own(self, warehouse: Warehouse) -> None:
        one = answered(warehouse, 1)
        labels.add(warehouse, [label(1, 0.0), label(1, 1.0, instance=1)])
        assert {found.instance: found.value for found in interactions.labels_of(warehouse, one)} == {
            0: 0,
            1: 1,
        }

    def test_csv_and_parquet_hold_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(
            "request_id,value,event_time,instance\n17,bad,2026-02-01,0\nr2,1,2026-02-01T10:00:00+01:00,3\n"
        )
        rows = {
            "request_id": ["17", "r2"],
            "value": ["bad", "1"],
            "event_time": [datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 1, 9, tzinfo=UTC)],
            "instance": [0, 3],
        }
        pq.write_table(pa.table(rows), tmp_path / "a.parquet")
        found = [list(labels.read(tmp_path / name, "docs")) for name in ("a.csv", "a.parquet")]
        assert [one.value for one in found[0]] == [one.value for one in found[1]] == ["bad", 1.0]
        assert [one.id for one in found[0]] == [one.id for one in found[1]] == ["docs/17/0", "docs/r2/3"]
        assert [labels._time(one) for one in found[0]] == [labels._time(one) for one in found[1]]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("request_id,value\nr,1\n", "event_time is missing"),
            ("request_id,value,event_time\nr,1,yesterday\n", "row 2"),
            ("request_id,value,event_time\nr,,2026-01-01\n", "row 2|wrong"),
            ("request_id,value,event_time\nq,1,2026-01-01\nr,nan,2026-01-01\n", "row 3"),
            ("request_id,value,event_time\nr,1e999,2026-01-01\n", "no finite number"),
            ("", "cannot read"),
        ],
    )
    def test_a_wrong_file_says_where(self, tmp_path: Path, text: str, why: str) -> None:
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(DataError, match=why):
            list(labels.read(tmp_path / "a.csv", "docs"))

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("worse", "value is 'worse'; allowed: bad, good, or 1 for bad"),
            ("2", "value is '2'"),
        ],
    )
    def test_a_class_that_the_table_does_not_have_is_refused_by_its_row(
        self, tmp_path: Path, value: str, why: str
    ) -> None:
        (tmp_path / "a.csv").write_text(
            f"request_id,value,event_time\nq,bad,2026-01-01\nr,{value},2026-01-01\n"
        )
        config = load(ROOT / "twinstack.yaml")
        with pytest.raises(DataError, match=rf"a\.csv, row 3: a label is wrong: {why}"):
            list(labels.read(tmp_path / "a.csv", "credit", labels.table_of(config, "credit")))
        free = list(labels.read(tmp_path / "a.csv", "docs", labels.table_of(config, "docs")))
        assert len(free) == 2, "an LLM's answers have no classes"


class TestQueue:
    def drawn(self, warehouse: Warehouse, policy: Any, size: int, seed: int = 0) -> list[str]:
        return [one["request_id"] for one in queue.fill(warehouse, "docs", policy, size, seed)]

    def test_the_same_answers_give_the_same_draw_and_another_seed_another(
        self, warehouse: Warehouse, tmp_path: Path
    ) -> None:
        from components.adapters.warehouse.sqlite import SqliteWarehouse

        draws = []
        for place, seed in enumerate((0, 0, 1)):
            store = SqliteWarehouse(tmp_path / f"{place}.db")
            for number in range(50):
                answered(store, number)
            draws.append(self.drawn(store, "random", 10, seed))
        assert draws[0] == draws[1] != draws[2]
        assert len(set(draws[0])) == 10

    def test_nothing_comes_twice_and_what_is_labelled_makes_room(self, warehouse: Warehouse) -> None:
        for number in range(8):
            answered(warehouse, number)
        first = self.drawn(warehouse, "random", 3)
        assert self.drawn(warehouse, "random", 3) == first
        labels.add(warehouse, [label(int(first[0][1:]))])
        second = self.drawn(warehouse, "random", 3)
        assert first[0] not in second
        assert set(first[1:]) < set(second)
        labels.add(warehouse, [label(number) for number in range(8)])
        assert self.drawn(warehouse, "random", 3) == []

    def test_only_the_newest_are_drawn_from(self, warehouse: Warehouse) -> None:
        for number in range(8):
            answered(warehouse, number)
        found = queue.fill(warehouse, "docs", "random", 8, among=3)
        assert {one["request_id"] for one in found} == {"r5", "r6", "r7"}

    def test_uncertain_draws_what_retrieval_found_least_for(self, warehouse: Warehouse) -> None:
        for number in range(5):
            answered(warehouse, number)
        assert set(self.drawn(warehouse, "uncertain", 2)) == {"r0", "r1"}

    def test_what_cannot_be_labelled_or_rests_on_no_chunk_is_not_drawn_for_it(
        self, warehouse: Warehouse
    ) -> None:
        answered(warehouse, 1, route="embeddings", output=None, scores=())
        answered(warehouse, 2, route="completions", scores=())
        answered(warehouse, 3)
        assert [one["request_id"] for one in queue.fill(warehouse, "docs", "uncertain", 9)] == ["r3"]
        assert {one["request_id"] for one in queue.fill(warehouse, "docs", "random", 9)} == {"r2", "r3"}

    def test_uncertain_draws_predictions_nearest_to_one_half(self, warehouse: Warehouse) -> None:
        for number, chance in enumerate((0.9, 0.52, 0.1, 0.4)):
            answered(warehouse, number, kind="classic", output=[{"probability": chance}])
        assert set(self.drawn(warehouse, "uncertain", 2)) == {"r1", "r3"}

    def test_flagged_draws_what_was_disliked_fell_back_or_failed_and_says_why(
        self, warehouse: Warehouse
    ) -> None:
        for number in range(6):
            answered(warehouse, number)
        answered(warehouse, 6, answered="retrieval")
        answered(warehouse, 7, status=504)
        answered(warehouse, 8, role="shadow", status=500)
        said(warehouse, 2, -1)
        said(warehouse, 3, 1)
        found = queue.fill(warehouse, "docs", "flagged", 10)
        assert {one["request_id"]: one["why"] for one in found} == {
            "r2": "a caller disliked it",
            "r6": "answered by retrieval",
            "r7": "status 504",
        }


class TestExport:
    def test_feedback_comes_with_its_answer_and_labels(self, warehouse: Warehouse) -> None:
        answered(warehouse, 1)
        said(warehouse, 1, -0.5, "wrong page")
        said(warehouse, 2, 1.0)
        labels.add(warehouse, [label(1, "better answer")])
        rows = [json.loads(line) for line in export.lines(export.feedback(warehouse, "docs"), "jsonl")]
        assert [set(row) for row in rows] == [set(export.COLUMNS)] * 2
        assert rows[0]["output"] == "answer 1"
        assert rows[0]["text"] == "wrong page"
        assert rows[0]["labels"] == [{"instance": 0, "value": "better answer"}]
        assert rows[1]["interaction"] is None

    def test_a_csv_cell_is_no_formula(self, warehouse: Warehouse) -> None:
        answered(warehouse, 1)
        said(warehouse, 1, 1, '=HYPERLINK("http://example.org")')
        head, row = export.lines(export.feedback(warehouse, "docs"), "csv")
        assert head.split(",")[0] == "request_id"
        assert "'=HYPERLINK" in row


class TestPurge:
    def test_what_is_older_goes_and_what_is_younger_and_labels_stay(self, warehouse: Warehouse) -> None:
        for number in range(48):
            answered(warehouse, number)
        said(warehouse, 1, 1)
        assert len(queue.fill(warehouse, "docs", "uncertain", 3)) == 3
        labels.add(warehouse, [label(1)])
        now = datetime(2026, 1, 11, tzinfo=UTC)
        found = interactions.purge(warehouse, "docs", 9, now)
        assert found == {INTERACTIONS: 24, LABELLING: 3, FEEDBACK: 0}
        assert [*interactions.newest(warehouse, "docs")][-1].at == "2026-01-02T00:00:00+00:00"
        assert warehouse.count(LABELS) == 1
        assert warehouse.count(FEEDBACK) == 1
        assert interactions.purge(warehouse, "docs", 9, now)[INTERACTIONS] == 0


def test_interactions_are_found_by_both_ids_and_shadows_with_them(warehouse: Warehouse) -> None:
    one = answered(warehouse, 1)
    two = answered(warehouse, 2, request_id="r1", role="shadow", paired=one.id)
    assert interactions.find(warehouse, ["docs"], one.id) == [one]
    assert interactions.find(warehouse, ["credit", "docs"], "r1") == [one, two]
    with pytest.raises(NotFoundError, match="on its way"):
        interactions.find(warehouse, ["docs"], "nothing")
