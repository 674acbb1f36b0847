"""`make bench`: the loop in a clean clone, then each ratio beside its budget."""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import chatting, concurrency, drift, finetuning, front, loop, predictor, spool
from tests.benchmarks.report import Row, show

#: What each part but the loop itself measures, given the folder of the loop and one for its own files.
MEASURES: dict[str, Callable[[Path, Path], list[Row]]] = {
    "ingest": lambda folder, _: loop.ingest(folder),
    "front": lambda folder, _: front.overhead(folder),
    "concurrency": concurrency.rows,
    "chatting": lambda folder, _: chatting.rows(folder),
    "spool": lambda *_: spool.cost(),
    "drift": lambda *_: drift.ratio(),
    "predictor": lambda *_: predictor.rows(),
    # Last, because what has trained in this process would slow down what is measured after it.
    "finetune": lambda folder, _: finetuning.ratio(folder),
}

PARTS = ("loop", *MEASURES)

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
        if not set(words.parts) <= ALONE:
            show(loop.whole(folder))
        for part in PARTS[1:]:
            if part in words.parts:
                show(MEASURES[part](folder, Path(scratch)))


if __name__ == "__main__":
    main()
