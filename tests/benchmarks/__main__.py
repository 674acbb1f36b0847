"""`make bench`: the loop in a clean clone, then each ratio beside its budget."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import concurrency, drift, finetuning, front, loop, predictor, spool
from tests.benchmarks.report import Row, show

PARTS = ("loop", "ingest", "finetune", "front", "concurrency", "spool", "drift", "predictor")

#: Parts that need no loop.
ALONE = {"spool", "drift", "predictor"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"some of: {', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--keep", type=Path, help="folder for the clone and its state; an old one is used again"
    )
    words = parser.parse_args()
    if unknown := set(words.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = words.keep or Path(scratch) / "twinstack"
        rows: list[Row] = [] if set(words.parts) <= ALONE else loop.whole(folder)
        if "ingest" in words.parts:
            rows += loop.ingest(folder)
        if "finetune" in words.parts:
            rows += finetuning.ratio(folder)
        if "front" in words.parts:
            rows += front.overhead(folder)
        if "spool" in words.parts:
            rows += spool.cost()
        if "drift" in words.parts:
            rows += drift.ratio()
        if "predictor" in words.parts:
            rows += predictor.rows()
        if "concurrency" in words.parts:
            rows += concurrency.rows(folder, Path(scratch))
        show(rows)


if __name__ == "__main__":
    sys.exit(main())
