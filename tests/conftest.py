"""What several test folders share: a small project on disk, and one whole loop a session."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

# What somebody set in the shell for `twin run` would reach every configuration that a test loads.
for name in [one for one in os.environ if one.startswith("TWINSTACK_")]:
    del os.environ[name]

# Workers that share the processors must not each take all of them; the processes they start inherit this.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

#: What takes tens of seconds to make, once a session, and the modules that share it; the longest users first.
COSTLY = {
    "loop": (
        "tests/docs/test_commands.py",
        "tests/integration/test_loop.py",
        "tests/integration/test_make.py",
    ),
    "unharmed": ("tests/integration/test_gate_blocks.py", "tests/integration/test_kill.py"),
    "released": ("tests/components/serving/",),
}

REPOSITORY = Path(__file__).resolve().parent.parent
TWIN = str(Path(sys.executable).parent / "twin")


def _asked() -> str:
    """A source of the documents that the docs twin's questions name, as JSON: a fifth of the whole corpus."""
    questions = yaml.safe_load((REPOSITORY / "twins/docs/questions.yaml").read_text(encoding="utf-8"))
    return json.dumps(
        [{"type": "git", "path": ".", "include": sorted({one["document"] for one in questions})}]
    )


#: A loop that a session can afford: the same stages, on the documents that are asked about, with short
#: training and few answers. `tests/twins/test_corpus.py` cuts the other documents.
SHORT = {
    "TWINSTACK_TWINS__DOCS__SOURCES": _asked(),
    "TWINSTACK_TWINS__DOCS__TRAINING__STEPS": "2",
    "TWINSTACK_TWINS__DOCS__TRAINING__BATCH_SIZE": "1",
    "TWINSTACK_TWINS__DOCS__QUESTIONS__ANSWERS": "6",
    "TWINSTACK_TWINS__DOCS__QUESTIONS__TIMED": "2",
    "TWINSTACK_TWINS__DOCS__QUESTIONS__MAX_NEW_TOKENS": "16",
    "TWINSTACK_TWINS__DOCS__QUESTIONS__HELD_OUT": "8",
}


@dataclass(frozen=True)
class Loop:
    """A finished end_to_end run of both twins in a clone of this repository."""

    folder: Path
    env: dict[str, str]
    output: str

    @property
    def config(self) -> Path:
        return self.folder / "twinstack.yaml"


@dataclass(frozen=True)
class Server:
    """The loop's champions, served on a free loopback port."""

    url: str


def _place(path: str) -> tuple[int, str]:
    """Place in the order of workers and name of the group of a test module; the last group is its own."""
    for place, (name, folders) in enumerate(COSTLY.items()):
        if path.startswith(folders):
            return place, name
    return len(COSTLY), path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With workers (`-n`), tests that share something made run on one: something costly, or else a module."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _place(nodeid.split("::", 1)[0])[1]

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares something costly starts first, so that no worker is left with it at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _place(item.nodeid.split("::", 1)[0])[0])


def environment(**more: str) -> dict[str, str]:
    """The environment of a user: no override left from the session, `twin` on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWINSTACK_")}
    path = f"{Path(TWIN).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Poll a condition; a test never sleeps for a fixed time instead."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of the last commit, the way a new user has it."""
    folder = tmp_path_factory.mktemp("clone") / "twinstack"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of foundation models with the shipped one in it: a session converts it once."""
    from components.adapters import foundation
    from components.shared.config.llm import Foundation

    # Workers have a folder each below a common one; who comes second waits for the first.
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "foundation"
    cache.mkdir(exist_ok=True)
    foundation.weights(Foundation(), cache)
    return cache


@pytest.fixture(scope="session")
def loop(clone: Path, weights: Path) -> Loop:
    """`twin run end_to_end` in the clone, once a session."""
    env = environment(**SHORT)
    (clone / ".twinstack").mkdir()
    (clone / ".twinstack/foundation").symlink_to(weights)
    done = subprocess.run(
        [TWIN, "run", "end_to_end"], cwd=clone, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return Loop(clone, env, done.stdout)


@pytest.fixture(scope="session")
def server(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`twin serve` on the finished loop, stopped at the end of the session."""
    from tests.servers import twins

    log = tmp_path_factory.mktemp("server") / "log.txt"
    with twins(loop.folder, log, **SHORT) as (url, _):
        yield Server(url)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A project of its own with a small corpus and a small table, under git."""
    folder = tmp_path / "a project"
    (folder / "docs").mkdir(parents=True)
    for name, text in {
        "one.md": "# Canary\n\nA canary gets a small share of the traffic.\n",
        "two.md": "# Champion\n\nThe champion is the release that answers.\n\n## Rollback\n\nOne command.\n",
        "three.md": "# Drift\n\nDrift is a change of the input.\n",
    }.items():
        (folder / "docs" / name).write_text(text)
    (folder / "prompt.md").write_text("Answer from the excerpts.\n\n{context}\n")
    (folder / "questions.yaml").write_text(
        "- question: What does a canary get?\n  answer: a small share of the traffic\n  document: one.md\n"
    )
    shutil.copy(REPOSITORY / "twins/credit/german_credit.csv", folder / "credit.csv")
    text = (REPOSITORY / "twinstack.yaml").read_text()
    credit = text[text.index("  credit:") :].replace("twins/credit/german_credit.csv", "credit.csv")
    (folder / "twinstack.yaml").write_text(DOCS_TWIN + credit)
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (folder / ".gitignore").write_text(".twinstack/\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "start"], check=True)
    return folder


DOCS_TWIN = """twins:
  docs:
    kind: llm
    sources: [{type: folder, path: docs, include: ["**/*.md"]}]
    prompt: prompt.md
    questions: {path: questions.yaml}
    gate: {rules: [{metric: recall_at_5, at_least: 0.1}]}

"""
