"""Compiled pipelines, for a laptop and for a cluster: written, or checked to be what the recipes compile to.

`python tools/check_compiled.py` fails where one is stale; `--write` writes them.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from components.shared.config import load
from pipelines.compiler import COMPILED, compile_all, compile_for_cluster

ROOT = Path(__file__).resolve().parent.parent

#: What a cluster is given (`manifests/overlays/prod`), compiled with the settings beside it.
MANIFESTS = ROOT / "manifests" / "pipelines"
SETTINGS = ROOT / "manifests" / "overlays" / "prod" / "cluster.yaml"


def for_production(folder: Path) -> list[Path]:
    """Every pipeline with the settings of the overlay `prod`."""
    return compile_for_cluster(folder, load(ROOT / "twinstack.yaml", [SETTINGS]).cluster)


WRITERS: dict[Path, Callable[[Path], list[Path]]] = {COMPILED: compile_all, MANIFESTS: for_production}


def stale(kept: Path = COMPILED) -> list[str]:
    """Names of compiled files in a folder that are missing, changed or left over."""
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[kept](Path(folder))
        fresh = _contents(Path(folder))
    there = _contents(kept)
    return sorted(name for name in fresh.keys() | there.keys() if fresh.get(name) != there.get(name))


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.yaml")}


def main() -> int:
    """1 where a check found a stale file."""
    parser = argparse.ArgumentParser(description="Check the compiled pipelines.")
    parser.add_argument("--write", action="store_true", help="write them instead")
    if parser.parse_args().write:
        for folder, write in WRITERS.items():
            write(folder)
        return 0
    found = {folder: names for folder in WRITERS if (names := stale(folder))}
    for folder, names in found.items():
        sys.stderr.write(f"stale in {folder.relative_to(ROOT)}: {', '.join(names)}; run `make compile`\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
