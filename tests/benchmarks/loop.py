"""The whole loop: time of every stage, the second run, and ingest against the model's forward passes."""

import json
import subprocess
import time
from pathlib import Path

from tests.benchmarks.report import Row
from tests.conftest import REPOSITORY, TWIN, environment


def run(folder: Path, *words: str) -> tuple[float, list[dict[str, object]]]:
    """Seconds and `done` events of a `twin run`."""
    start = time.perf_counter()
    done = subprocess.run(
        [TWIN, "run", *words, "--json"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"twin run {' '.join(words)} failed: {done.stderr[-2000:]}")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return time.perf_counter() - start, [event for event in events if event["event"] == "done"]


def whole(folder: Path) -> list[Row]:
    """Every stage of a first run, and a second run over it; an old clone is only run again."""
    rows: list[Row] = []
    fresh = not folder.exists()
    if fresh:
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(folder)], check=True)
    first, stages = run(folder, "end_to_end")
    if fresh:
        rows = [Row(f"{one['twin']} {one['stage']}", float(str(one["seconds"])), "s") for one in stages]
        rows.append(Row("make run, after installation", first, "s", budget="budget 300 s"))
    second, _ = run(folder, "end_to_end")
    base, what = (first, "s, first run") if fresh else (None, "")
    rows.append(Row("second run, nothing changed", second, "s", base, what, "budget 60 s"))
    return rows


def facts(folder: Path, stage: str) -> dict[str, float]:
    """Facts and build seconds of the docs twin's newest output of a stage."""
    found = json.loads((folder / ".twinstack/artifacts/latest/docs" / f"{stage}.json").read_text())
    return {**found["facts"], "seconds": found["seconds"]}


def ingest(folder: Path) -> list[Row]:
    """Stage embed from nothing, and after 1 % of the documents changed."""
    scratch = folder / ".twinstack" / "bench"
    corpus = scratch / "corpus"
    subprocess.run(["rm", "-rf", str(scratch)], check=True)
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(corpus)], check=True)
    run(corpus, "collect", "--twin", "docs")
    run(corpus, "features", "--twin", "docs")
    first = facts(corpus, "embed")
    pages = sorted((corpus / "docs").rglob("*.md"))
    documents = int(first["documents"])
    for page in pages[: max(1, documents // 100)]:
        page.write_text(page.read_text() + "\nOne more sentence, to be found.\n")
    git = ["git", "-C", str(corpus), "-c", "user.name=b", "-c", "user.email=b@example.org"]
    subprocess.run([*git, "commit", "-qam", "change"], check=True)
    run(corpus, "collect", "--twin", "docs")
    run(corpus, "features", "--twin", "docs")
    second = facts(corpus, "embed")
    return [
        Row(
            "ingest: chunk, embed, index",
            first["seconds"],
            "s",
            first["seconds_forward"],
            "s in forward passes",
            "budget 1.111 (imports included)",
        ),
        Row("ingest, 1 % of documents changed", second["seconds"], "s", first["seconds"], "s, first ingest"),
        Row("chunks embedded then", second["embedded"], "chunks", first["chunks"], "chunks in all"),
    ]
