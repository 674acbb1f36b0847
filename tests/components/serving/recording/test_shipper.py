"""Accepted minus stored is zero: with the sink down, the process killed, records damaged or refused."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.serving.recording import shipper as shippers
from components.serving.recording.records import encoded
from components.serving.recording.segments import packed
from components.serving.recording.shipper import Shipper
from components.serving.recording.spool import Spool
from components.serving.recording.storing import REFUSED
from components.shared.interactions import FEEDBACK, INTERACTIONS, Feedback, Interaction
from components.shared.metrics.instruments import Instruments
from tests.components.serving.recording.conftest import Sink, Start, exchange, settings
from tests.conftest import until

ROOT = Path(__file__).resolve().parents[4]


def total(registry: CollectorRegistry, fate: str) -> float:
    return registry.get_sample_value("twinstack_record_total", {"fate": fate}) or 0.0


def test_what_is_answered_is_in_the_warehouse_and_the_spool_is_empty(
    started: Start, sink: Sink, registry: CollectorRegistry, tmp_path: Path
) -> None:
    recorder, shipper = started(segment_bytes=4096)
    asked = [exchange() for _ in range(50)]
    for one in asked:
        recorder(one, 200, 0.25)
    until(lambda: sink.count(INTERACTIONS) == 50, 10, "shipping")
    stored = [Interaction.model_validate(one["body"]) for one in sink.scan(INTERACTIONS, twin="docs")]
    assert {one.id for one in stored} == {one.id for one in asked}
    assert stored[0].output == "A change of the input."
    assert stored[0].context == ("c1", "c2")
    seventh = asked[7]
    found = sink.scan(INTERACTIONS, twin="docs", source=seventh.request_id)
    assert [one["_id"] for one in found] == [seventh.id]
    shipper.close()
    assert list((tmp_path / "spool").iterdir()) == []
    assert total(registry, "spooled") == total(registry, "stored") == 50


def test_requests_that_no_release_took_are_not_kept(started: Start, sink: Sink) -> None:
    recorder, shipper = started()
    recorder(exchange(release="none"), 404, 0.001)
    shipper.close()
    assert sink.count(INTERACTIONS) == 0


def test_a_sink_that_was_down_gets_everything_once_and_in_the_end_nothing_waits(
    started: Start, sink: Sink, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shippers, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(shippers, "LONGEST_WAIT", 0.1)
    sink.down = True
    recorder, _ = started()
    for _ in range(700):
        recorder(exchange(), 200, 0.1)
    until(lambda: sink.calls >= 4, 10, "several tries")
    until(lambda: (registry.get_sample_value("twinstack_spool_lag_seconds") or 0) > 0, 10, "a lag")
    assert sink.count(INTERACTIONS) == 0
    sink.down = False
    until(lambda: sink.count(INTERACTIONS) == 700, 10, "the rest")
    until(lambda: registry.get_sample_value("twinstack_spool_records") == 0, 10, "an empty spool")
    until(lambda: registry.get_sample_value("twinstack_spool_lag_seconds") == 0, 10, "no lag")


def test_while_a_sink_hangs_what_waits_is_forced_to_the_disk_and_counted(
    started: Start, sink: Sink, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go, forced = threading.Event(), threading.Event(), threading.Event()
    apply, sync = sink.apply, Spool.sync

    def hanging(*words: Any) -> None:
        entered.set()
        assert go.wait(30)
        apply(*words)

    def noted(spool: Spool) -> None:
        sync(spool)
        if entered.is_set():
            forced.set()

    monkeypatch.setattr(sink, "apply", hanging)
    monkeypatch.setattr(Spool, "sync", noted)
    recorder, _ = started()
    recorder(exchange(), 200, 0.1)
    try:
        assert entered.wait(10)
        recorder(exchange(), 200, 0.1)
        assert forced.wait(10)
        until(lambda: registry.get_sample_value("twinstack_spool_records") == 2, 10, "two that wait")
        until(lambda: (registry.get_sample_value("twinstack_spool_lag_seconds") or 0) > 0, 10, "a lag")
    finally:
        go.set()
    until(lambda: sink.count(INTERACTIONS) == 2, 10, "both")


def test_what_a_sink_does_not_take_at_the_end_is_shipped_by_the_next_start(
    started: Start, sink: Sink, tmp_path: Path
) -> None:
    sink.down = True
    recorder, shipper = started(drain_seconds=0.1)
    recorder(exchange(), 200, 0.1)
    shipper.close()
    assert len(list((tmp_path / "spool").iterdir())) == 1
    sink.down = False
    _, following = started()
    until(lambda: sink.count(INTERACTIONS) == 1, 10, "the orphan")
    following.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_records_that_come_twice_are_stored_once(started: Start, sink: Sink, tmp_path: Path) -> None:
    """A process that dies between the commit and the deletion of its file leaves records that come again."""
    recorder, shipper = started()
    recorder(exchange(id="x" * 32), 200, 0.1)
    until(lambda: sink.count(INTERACTIONS) == 1, 10, "the first time")
    copy = Spool(tmp_path / "spool", settings())
    for segment in recorder.spool.segments():
        (copy.folder / "00000000.seg").write_bytes(segment.path.read_bytes())
    os.close(copy._held)
    shipper.close()
    _, again = started()
    until(lambda: not copy.folder.exists(), 10, "the second time")
    again.close()
    assert sink.count(INTERACTIONS) == 1


def test_damage_is_skipped_and_counted(
    started: Start, sink: Sink, tmp_path: Path, registry: CollectorRegistry
) -> None:
    dead = Spool(tmp_path / "spool", settings())
    good = [encoded(INTERACTIONS, {"_id": name, "twin": "t", "body": {}}) for name in ("a", "b")]
    whole = packed(good[0]) + packed(b"not JSON") + packed(good[1])
    (dead.folder / "00000000.seg").write_bytes(b"noise" + whole + packed(good[0])[:-3])
    os.close(dead._held)
    _, shipper = started()
    until(lambda: sink.count(INTERACTIONS) == 2, 10, "both whole records")
    shipper.close()
    assert total(registry, "damaged") == 3


def test_a_document_that_no_warehouse_takes_does_not_hold_up_the_others(
    started: Start, sink: Sink, tmp_path: Path, registry: CollectorRegistry
) -> None:
    sink.hates = ("b" * 32,)
    recorder, shipper = started()
    for name in "abcde":
        recorder(exchange(id=name * 32), 200, 0.1)
    until(lambda: sink.count(INTERACTIONS) == 4, 10, "the others")
    shipper.close()
    assert total(registry, "refused") == 1
    assert b"b" * 32 in (tmp_path / "spool" / REFUSED).read_bytes()


@pytest.mark.parametrize("text", ["\ud800", "\0", "\N{GRINNING FACE}"])
def test_odd_characters_are_kept_as_well_as_they_can_be(started: Start, sink: Sink, text: str) -> None:
    recorder, shipper = started()
    recorder(exchange(inputs=[{"content": text, "number": 2**70}], scores=(float("nan"),)), 200, 0.1)
    shipper.close()
    (found,) = sink.scan(INTERACTIONS)
    # PostgreSQL holds neither of the first two.
    assert found["body"]["inputs"][0]["content"] == {"\ud800": "?", "\0": "\ufffd"}.get(text, text)


def test_earlier_feedback_that_comes_later_from_another_server_changes_nothing(
    started: Start, sink: Sink
) -> None:
    first, second = started(), started()
    for (recorder, shipper), hour, score in ((second, 2, 1), (first, 1, -1)):
        at = f"2026-01-01T{hour:02}:00:00+00:00"
        recorder.feedback(Feedback(id="f", request_id="r", twin="docs", at=at, score=score))
        shipper.close()
    assert [one["body"]["score"] for one in sink.scan(FEEDBACK)] == [1]


def test_redaction_takes_out_what_it_says(started: Start, sink: Sink) -> None:
    recorder, shipper = started(inputs="redacted", output="none")
    asked = [
        {"role": "user", "content": "I am jane@example.org", "age": 67, "more": [None, "jane@example.org"]}
    ]
    recorder(exchange(inputs=asked), 200, 0.1)
    recorder.feedback(
        Feedback(id="f", request_id="r", twin="docs", at="2026-01-01T00:00:00+00:00", score=1, text="hm")
    )
    shipper.close()
    (found,) = sink.scan(INTERACTIONS)
    assert found["body"]["inputs"] == [
        {"role": "user", "content": "I am [email]", "age": 67, "more": [None, "[email]"]}
    ]
    assert found["body"]["output"] is None
    (said,) = sink.scan(FEEDBACK)
    assert Feedback.model_validate(said["body"]).text == ""


CHILD = """
import os, signal, sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.serving.recording.recorder import Recorder
from components.serving.recording.shipper import Shipper
from components.serving.recording.spool import Spool
from components.shared.metrics.instruments import Instruments
from tests.components.serving.recording.conftest import exchange, settings

folder, point, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chosen = settings(segment_bytes=4096)
spool, instruments = Spool(folder / "spool", chosen), Instruments(CollectorRegistry())
recorder = Recorder(spool, chosen, {"docs": "llm"}, "c", instruments)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(SqliteWarehouse):
    def apply(self, changes, expected=None):
        if point == "before-commit":
            die()
        super().apply(changes, expected)
        if point == "after-commit":
            die()

shipper = Shipper(spool, lambda: Dying(folder / "w.db"), chosen, instruments)
if point == "before-delete":
    spool.delete = die
if point == "drain":
    spool.leave = die
if point not in ("answering", "drain"):
    shipper.start()
for number in range(count):
    recorder(exchange(), 200, 0.1)
    # The last byte of the answer: from here on the caller has it.
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
if point == "drain":
    shipper.start()
    shipper.close()
if point == "answering":
    die()
shipper._thread.join()
"""


@pytest.mark.parametrize("point", ["answering", "before-commit", "after-commit", "before-delete", "drain"])
def test_kill_9_loses_no_answer_that_went_out(tmp_path: Path, point: str, instruments: Instruments) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), point, "120"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    answered = len(done.stdout.split())
    chosen = settings()
    following = Shipper(
        Spool(tmp_path / "spool", chosen), lambda: SqliteWarehouse(tmp_path / "w.db"), chosen, instruments
    )
    following.start()
    until(lambda: len([*(tmp_path / "spool").iterdir()]) == 1, 10, "the dead one's spool")
    following.close()
    # One more may be there: kept, and killed before its last byte went out.
    assert SqliteWarehouse(tmp_path / "w.db").count(INTERACTIONS) - answered in (0, 1)
    assert list((tmp_path / "spool").iterdir()) == []
