"""The share of memory that is left, by the files of the kernel."""

from pathlib import Path

import pytest

from components.shared.memory import available_share

MACHINE = "MemTotal:       1000 kB\nMemFree:          100 kB\nMemAvailable:    600 kB\nHugePages_Total:  0\n"
GROUP = {"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "anon 500\ninactive_file 100\n"}


def written(root: Path, machine: str = "", **group: str) -> Path:
    (root / "proc").mkdir()
    (root / "sys/fs/cgroup").mkdir(parents=True)
    if machine:
        (root / "proc/meminfo").write_text(machine)
    for name, text in group.items():
        (root / "sys/fs/cgroup" / name).write_text(text)
    return root


def test_without_a_limit_it_is_the_machines(tmp_path: Path) -> None:
    group = {**GROUP, "memory.max": "max\n"}
    assert available_share(written(tmp_path, MACHINE, **group)) == pytest.approx(0.6)


def test_a_containers_limit_counts_and_its_file_cache_does_not(tmp_path: Path) -> None:
    assert available_share(written(tmp_path, MACHINE, **GROUP)) == pytest.approx(0.2)


def test_a_system_that_does_not_say_has_room(tmp_path: Path) -> None:
    assert available_share(written(tmp_path)) == 1.0


def test_this_machine_is_neither_empty_nor_full() -> None:
    assert 0 < available_share() <= 1
