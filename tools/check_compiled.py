"""Fails where `pipelines/compiled` is not what the recipes compile to."""

import sys
import tempfile
from pathlib import Path

from pipelines.compiler import COMPILED, compile_all


def stale() -> list[str]:
    """Names of compiled files that are missing, changed or left over."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = {path.name: path.read_bytes() for path in compile_all(Path(folder))}
    kept = {path.name: path.read_bytes() for path in COMPILED.glob("*.yaml")}
    return sorted(name for name in fresh.keys() | kept.keys() if fresh.get(name) != kept.get(name))


if __name__ == "__main__":
    if names := stale():
        sys.exit(f"error: compiled pipelines are stale: {', '.join(names)}; run `make compile`")
