"""Real runs in processes of their own."""

import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from components.adapters.stores import Stores
from components.adapters.warehouse.contract import ConflictError
from components.console import runs
from components.console.runner import CommandRunner
from components.console.runs import Run
from components.shared.config import load
from components.shared.errors import ConfigError
from tests.conftest import until


@pytest.fixture
def ended() -> "queue.Queue[Run]":
    return queue.Queue()


def told(ended: "queue.Queue[Run]") -> Callable[[Run], str]:
    """Puts runs that ended into a queue, and says that something followed."""

    def follow(run: Run) -> str:
        ended.put(run)
        return "something followed"

    return follow


def test_a_run_ends_with_its_stages_and_only_one_of_a_twin_goes_on(
    project: Path, ended: "queue.Queue[Run]"
) -> None:
    runner = CommandRunner(load(project), project, told(ended))
    started = runner.start("collect", "credit", "somebody")
    with pytest.raises(ConflictError, match=started.id):
        runner.start("monitor", "credit", "somebody else")
    done = ended.get(timeout=120)
    assert (done.state, done.error) == ("succeeded", "")
    assert [one.stage for one in done.stages] == ["collect", "validate"]
    until(lambda: runner.read(started.id).followed == "something followed", 10, "what follows")
    assert runner.read(started.id).model_copy(update={"followed": ""}) == done
    assert [one.id for one in runner.listed("credit")] == [started.id]


def test_a_run_that_fails_says_why(project: Path, ended: "queue.Queue[Run]") -> None:
    runner = CommandRunner(load(project), project, told(ended))
    runner.start("monitor", "credit", "somebody")  # before anything was collected
    done = ended.get(timeout=120)
    assert done.state == "failed"
    assert "twin run" in done.error


def test_a_console_without_the_project_starts_a_run_all_the_same(
    project: Path, ended: "queue.Queue[Run]"
) -> None:
    # As in the console's image: the configuration is mounted, its `root` lies in other images.
    values = yaml.safe_load(project.read_text())
    values |= {"root": "elsewhere", "state": str(project.parent / "state")}
    project.write_text(yaml.safe_dump(values))
    CommandRunner(load(project), project, told(ended)).start("collect", "credit", "somebody")
    assert ended.get(timeout=120).state == "succeeded"


def test_an_unknown_twin_starts_nothing(project: Path, ended: "queue.Queue[Run]") -> None:
    runner = CommandRunner(load(project), project, told(ended))
    with pytest.raises(ConfigError, match="nobody"):
        runner.start("collect", "nobody", "somebody")
    assert not list(runner.listed())


def test_a_run_whose_process_is_gone_was_interrupted(project: Path, ended: "queue.Queue[Run]") -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = Run(id="20260101T000000-0", pipeline="collect", twin="credit", by="x", started="", pid=gone.pid)
    warehouse = Stores(load(project)).warehouse
    runs.store(warehouse, left)
    runner = CommandRunner(load(project), project, told(ended))
    assert runner.read(left.id).state == "interrupted"
    assert "resumes" in runner.read(left.id).error


def test_a_run_goes_on_without_its_console_and_the_next_one_sees_it_end(
    project: Path, ended: "queue.Queue[Run]"
) -> None:
    code = (
        "import sys, os, pathlib\n"
        "from components.console.runner import CommandRunner\n"
        "from components.shared.config import load\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "runner = CommandRunner(load(file), file, lambda run: '')\n"
        "print(runner.start('collect', 'credit', 'x').id, flush=True)\n"
        "os._exit(9)\n"
    )
    words = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=False
    )
    assert words.returncode == 9, words.stderr
    CommandRunner(load(project), project, told(ended))
    done = ended.get(timeout=120)
    assert (done.id, done.state) == (words.stdout.strip(), "succeeded")
    assert [one.stage for one in done.stages] == ["collect", "validate"]
