"""Bounds, rotation, full disks, and spools whose process has died."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.serving.recording.folders import orphans
from components.serving.recording.segments import records
from components.serving.recording.spool import Spool, SpoolError
from tests.components.serving.recording.conftest import settings


def content(spool: Spool) -> list[bytes | None]:
    found: list[bytes | None] = []
    for segment in spool.segments():
        found += [one.payload for one in records(segment.path.read_bytes()[: segment.size])]
    return found


def test_files_are_rotated_by_size_and_keep_the_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path, settings(segment_bytes=4096))
    written = [str(number).encode() * 300 for number in range(40)]
    for one in written:
        spool.append(one)
    assert len(spool.segments()) > 3
    assert [one.closed for one in spool.segments()] == [True] * (len(spool.segments()) - 1) + [False]
    assert content(spool) == written


def test_a_record_larger_than_a_file_gets_one_of_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path, settings(segment_bytes=4096))
    for one in (b"a", b"b" * 9000, b"c"):
        spool.append(one)
    assert content(spool) == [b"a", b"b" * 9000, b"c"]


def test_at_its_bound_it_admits_no_more_but_keeps_what_was_admitted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, settings(max_bytes=65_536, segment_bytes=4096))
    while spool.admits():
        spool.append(b"x" * 1000)
    assert 65_536 <= sum(one.size for one in spool.segments()) < 65_536 + 1100
    spool.append(b"the answer that was on its way")
    assert content(spool)[-1] == b"the answer that was on its way"
    assert "try again later" in str(spool.refusal())
    assert spool.refusal().http_status == 503
    spool.delete(spool.segments()[0])
    assert spool.admits()


def test_a_disk_that_is_nearly_full_stops_admission_until_it_has_room_again_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "twinstack.serving")
    free, now = [10_000_000], [0.0]
    spool = Spool(tmp_path, settings(min_free_bytes=1_000_000), lambda _: free[0], lambda: now[0])
    assert spool.admits()
    free[0] = 999_999
    for _ in range(3):
        now[0] += 1
        assert not spool.admits()
    free[0] = 1_000_000
    now[0] += 1
    assert spool.admits()
    short, again = caplog.messages
    assert "has 999999 bytes free, less than serving.interactions.min_free_bytes 1000000" in short
    assert again.endswith("has room again")


def test_a_folder_that_somebody_deleted_stops_admission(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", settings(min_free_bytes=1))
    shutil.rmtree(tmp_path / "spool")
    assert not spool.admits()


def test_a_write_that_fails_is_an_error_stops_admission_and_leaves_no_half_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    spool = Spool(tmp_path, settings(), clock=lambda: now[0])
    spool.append(b"before")
    real = os.write

    def half(file: int, data: bytes) -> int:
        return real(file, data[: len(data) // 2])

    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for broken in (half, full):
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", broken)
            with pytest.raises(SpoolError, match="free space"):
                spool.append(b"lost to the caller as well")
        assert not spool.admits()
    now[0] += 1
    assert spool.admits()
    spool.append(b"after")
    assert content(spool) == [b"before", b"after"]


def test_what_is_forced_to_the_disk_is_the_file_and_once_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").resolve().name)
        real(file)

    monkeypatch.setattr(os, "fsync", noted)
    spool = Spool(tmp_path / "root", settings(segment_bytes=4_096))
    spool.append(b"x" * 3_000)
    spool.sync()
    assert synced == ["00000001.seg", spool.folder.name, "root"]
    synced.clear()
    spool.sync()
    assert synced == ["00000001.seg"]
    synced.clear()
    spool.append(b"x" * 3_000)
    spool.sync()
    assert synced == ["00000001.seg", "00000002.seg", spool.folder.name, "root"]


def test_a_disk_that_forces_nothing_stops_admission_and_leaks_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, settings(), clock=lambda: 100.0)
    spool.append(b"x")
    before = _open_below(tmp_path)

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError):
        spool.sync()
    assert not spool.admits()
    assert _open_below(tmp_path) == before


def _open_below(folder: Path) -> int:
    """Open files of this process below a folder; other tests' threads open and close others."""
    links = Path("/proc/self/fd").iterdir()
    return sum(os.path.realpath(link).startswith(str(folder)) for link in links)


def test_a_torn_record_that_cannot_be_taken_back_is_skipped_by_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, settings())
    real: Any = os.write

    def refuse(*_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:9]))
        patch.setattr(os, "ftruncate", refuse)
        with pytest.raises(SpoolError):
            spool.append(b"torn")
    spool.append(b"whole")
    assert content(spool) == [None, b"whole"]


def test_a_living_spool_is_nobodys_orphan_and_a_dead_one_is_found_once(tmp_path: Path) -> None:
    alive, dead = Spool(tmp_path, settings()), Spool(tmp_path, settings())
    dead.append(b"left behind")
    assert orphans(tmp_path) == []
    os.close(dead._held)  # what the kernel does when a process dies
    (found,) = orphans(tmp_path)
    assert found.folder == dead.folder
    assert orphans(tmp_path) == []
    for segment in found.segments():
        found.delete(segment)
    found.leave()
    assert not dead.folder.exists()
    assert alive.folder.exists()


def test_an_ended_spool_takes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, settings())
    spool.append(b"last")
    spool.close()
    with pytest.raises(SpoolError):
        spool.append(b"too late")
    for segment in spool.segments():
        spool.delete(segment)
    spool.leave()
    assert list(tmp_path.iterdir()) == []
