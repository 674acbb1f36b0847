"""Files that a tool writes, and that are checked to be what it would write."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def changed(fresh: Mapping[Path, str]) -> list[Path]:
    """Files that are missing, or differ from their text."""
    return [path for path, text in fresh.items() if not path.is_file() or path.read_text("utf-8") != text]


def write_or_check(
    command: str,
    description: str | None,
    rendered: Callable[[], Mapping[Path, str]],
    stale: Callable[[], Iterable[Path]],
) -> int:
    """Write or check; 1 where a check found a stale file.

    Args:
        command: How a person runs the tool.
        description: What it writes.
        rendered: Path and text of every file.
        stale: Files that a check complains of.
    """
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    if parser.parse_args().check:
        found = list(stale())
        for path in found:
            sys.stderr.write(f"stale: {path.relative_to(ROOT)}; run {command}\n")
        return 1 if found else 0
    for path, text in rendered().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0
