"""How much memory is left to this process: of its container where that has a limit, else of the machine."""

from collections.abc import Iterator
from pathlib import Path


def available_share(root: Path = Path("/")) -> float:
    """Share of the memory that can be had without swapping, between 0 and 1; 1 where nobody says.

    The file cache counts as available, as it does in the kernel's own `MemAvailable`.

    Args:
        root: Of the file system that holds `proc` and `sys`.
    """
    return min(_shares(root), default=1.0)


def _shares(root: Path) -> Iterator[float]:
    machine = _numbers(root / "proc/meminfo")
    if machine.get("MemTotal") and "MemAvailable" in machine:
        yield machine["MemAvailable"] / machine["MemTotal"]
    group = root / "sys/fs/cgroup"  # version 2; a container sees its own group here
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit and used is not None:
        cache = _numbers(group / "memory.stat").get("inactive_file", 0)
        yield max(0.0, limit - used + cache) / limit


def _numbers(path: Path) -> dict[str, int]:
    """A file of lines that begin with a name and a number."""
    lines = [line.split() for line in _text(path).splitlines()]
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # `max` is no limit


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
