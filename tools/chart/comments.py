"""Descriptions of values: the comments that stand above the keys of `values.yaml`."""

import re
from pathlib import Path

KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_][A-Za-z0-9_]*):(?P<rest>.*)$")
STEP = 2


def described(path: Path) -> dict[str, str]:
    """Path of every described value (`console.replicas`) to its description, in the file's order."""
    found: dict[str, str] = {}
    parents: list[str] = []
    comment: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        stripped = line.strip()
        if stripped.startswith("# "):
            comment.append(stripped.removeprefix("# "))
            continue
        if (key := KEY.match(line)) and comment:
            depth = len(key["indent"]) // STEP
            parents = [*parents[:depth], key["key"]]
            found[".".join(parents)] = " ".join(comment)
        comment = []
    return found
