"""The command line: light help, one-line errors, exit codes that mean something."""

import io
import json
import os
import pty
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from components.collect import core as collect
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import LineageError
from components.shared.files import locked
from components.shared.manifests import Manifest
from components.shared.progress import MARK
from components.validate import core as validate
from pipelines.cli import app
from pipelines.narrator import Narrator
from pipelines.runner import Follower

TWIN = str(Path(sys.executable).parent / "twin")

COMMANDS = (
    "config", "run", "compile", "submit", "recurring", "serve", "ask", "predict", "releases", "promote",
    "rollback", "new", "keys", "traffic", "eval", "prune",
)  # fmt: skip


def twin(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TWIN, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_help_names_every_command_within_a_second() -> None:
    twin("--help")  # the first start pays for the file system's cache
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = twin("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Time of the processor, so that neighbours do not count.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert all(name in done.stdout for name in COMMANDS)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = twin("compile", "--output", str(tmp_path / "file" / "folder"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: the folder cannot be made: Not a directory; --output ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], prog_name="twin")
    assert done.exit_code == 0
    assert f"Usage: twin {command}" in done.output


def test_a_wrong_configuration_exits_with_2_in_one_line(corpus: Path) -> None:
    path = corpus / "twinstack.yaml"
    path.write_text(path.read_text().replace("kind: llm", "kind: large"))
    done = twin("config", "check", folder=corpus)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "twins.docs" in done.stderr
    assert "'classic', 'llm'" in done.stderr


def test_bad_data_exits_with_3_and_names_the_log(corpus: Path) -> None:
    (corpus / "credit.csv").unlink()
    done = twin("run", "collect", "--twin", "credit", folder=corpus)
    assert done.returncode == 3
    assert "credit.csv" in done.stderr
    assert "log" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "✗ collect       failed" in done.stdout
    assert "credit.csv" not in done.stdout.replace(str(corpus), "")


def test_the_version_is_the_installed_one() -> None:
    assert twin("--version").stdout.startswith("twinstack 0.")


def test_a_shell_completes_commands() -> None:
    env = {**os.environ, "_TWIN_COMPLETE": "complete_bash", "COMP_WORDS": "twin re", "COMP_CWORD": "1"}
    done = subprocess.run([TWIN], env=env, capture_output=True, text=True, check=False)
    assert {"recurring", "releases"} <= set(done.stdout.split())


def test_uncommitted_code_is_refused_before_any_stage_runs(corpus: Path) -> None:
    (corpus / "prompt.md").write_text("Another one.\n\n{context}\n")
    done = twin("run", "end_to_end", "--json", folder=corpus)
    assert done.returncode == LineageError.exit_code
    assert "prompt.md" in done.stderr
    assert "--allow-dirty" in done.stderr
    assert done.stdout == ""
    assert not (corpus / ".twinstack").exists()


def test_an_unknown_pipeline_names_the_known_ones(corpus: Path) -> None:
    done = twin("run", "everything", folder=corpus)
    assert done.returncode == 2
    assert "end_to_end" in done.stderr


def test_a_run_reports_stages_with_their_time(corpus: Path) -> None:
    done = twin("run", "collect", "--twin", "credit", folder=corpus)
    assert done.returncode == 0, done.stderr
    assert "✓ collect" in done.stdout
    assert "1000 rows" in done.stdout


def on_terminal(*words: str, folder: Path, interrupt_at: bytes = b"") -> tuple[int, str]:
    """Exit code and all that a terminal was sent; Ctrl-C is typed once `interrupt_at` was."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execv(TWIN, [TWIN, *words])
    sent = b""
    while True:
        try:
            sent += os.read(terminal, 65_536)
        except OSError:  # Linux reports the end of a terminal as an error
            break
        if interrupt_at and interrupt_at in sent:
            os.write(terminal, b"\x03")
            interrupt_at = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sent.decode()


def test_a_terminal_shows_stages_and_the_log_file_keeps_the_rest(corpus: Path) -> None:
    code, sent = on_terminal("run", "collect", "--twin", "credit", folder=corpus)
    assert code == 0, sent
    assert "✓ collect" in sent
    assert "✓ validate" in sent
    assert "KFP Executor" not in sent
    (log,) = corpus.glob(".twinstack/runs/*/log.txt")
    assert "KFP Executor" in log.read_text()
    assert str(log) in sent


def frozen(corpus: Path, state: Path) -> Manifest:
    """What stage validate makes of the table of twin credit; the recipe is the same in every state folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINSTACK_STATE", str(state))
        config = load(corpus / "twinstack.yaml")
    made = collect.run(Context(config, "credit", "collect"))
    return validate.run(Context(config, "credit", "validate"), collected=made)


def test_ctrl_c_says_that_nothing_is_lost_and_the_next_run_goes_on(corpus: Path, tmp_path: Path) -> None:
    words = ("run", "collect", "--twin", "credit")
    lock = f"validate-{frozen(corpus, tmp_path / 'other').recipe}"
    # Stage validate waits until it is interrupted, however late the terminal is read.
    with locked(corpus / ".twinstack/artifacts/.locks" / lock):
        code, sent = on_terminal(*words, folder=corpus, interrupt_at="✓ collect".encode())
    assert code == 130, sent
    assert "interrupted: finished stages are kept" in sent
    assert "Traceback" not in sent
    again = twin(*words, folder=corpus)
    assert again.returncode == 0
    assert "= collect" in again.stdout
    assert "✓ validate" in again.stdout


def test_a_second_run_says_what_it_skipped_and_why(corpus: Path) -> None:
    twin("run", "collect", "--twin", "credit", folder=corpus)
    done = twin("run", "collect", "--twin", "credit", folder=corpus)
    assert done.stdout.count("skipped, unchanged") == 2


def test_json_output_is_one_object_a_line(corpus: Path) -> None:
    done = twin("run", "collect", "--twin", "credit", "--json", folder=corpus)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["stage"] for event in events if event["event"] == "done"] == ["collect", "validate"]


def test_a_stage_without_its_input_says_what_to_run_first(corpus: Path) -> None:
    done = twin("run", "monitor", "--twin", "credit", folder=corpus)
    assert done.returncode == 6
    assert "twin run end_to_end" in done.stderr


@pytest.mark.parametrize(("command", "kind"), [("ask", "llm"), ("predict", "classic")])
def test_a_choice_of_twins_is_left_to_the_caller(command: str, kind: str, corpus: Path) -> None:
    """With one of each kind, nobody has to name it; with none, the command says which kind it needs."""
    path = corpus / "twinstack.yaml"
    done = twin(command, "A0001", "--url", "http://127.0.0.1:9", folder=corpus)
    assert done.returncode == 8
    assert "no answer from" in done.stderr
    text = path.read_text()
    cut = text.index("  credit:")
    path.write_text("twins:\n" + text[cut:] if kind == "llm" else text[:cut])
    done = twin(command, "A0001", folder=corpus)
    assert done.returncode == 2
    assert f"0 twins are of kind {kind}" in done.stderr


def test_a_lost_file_is_named_with_what_to_delete_and_then_made_anew(corpus: Path) -> None:
    assert twin("run", "collect", "--twin", "credit", folder=corpus).returncode == 0
    (table,) = corpus.glob(".twinstack/artifacts/validate/*/table.parquet")
    table.unlink()
    done = twin("run", "features", "--twin", "credit", folder=corpus)
    assert done.returncode == 6
    assert f"delete {table.parent.resolve()}, then run again" in done.stderr
    shutil.rmtree(table.parent)
    assert twin("run", "collect", "--twin", "credit", folder=corpus).returncode == 0
    assert table.exists()


def test_a_stage_that_dies_is_named_with_its_last_words(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSTACK_CRASH_AT", "collect:after-warehouse")
    done = twin("run", "collect", "--twin", "credit", folder=corpus)
    assert done.returncode == 1
    assert "stage collect died: Killed" in done.stderr
    assert "log.txt" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_state_folder_that_cannot_be_made_is_told_in_one_line(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSTACK_STATE", "credit.csv/state")
    done = twin("releases", folder=corpus)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "credit.csv" in done.stderr
    assert "`state`" in done.stderr


@pytest.mark.parametrize("last", ["    Killed", "    Terminated", "    ValueError: no"])
def test_the_last_words_of_a_stage_are_found_in_its_output(last: str) -> None:
    follower = Follower(io.StringIO(), Narrator(as_json=True, console=Console(file=io.StringIO())))
    follower.write(f'{MARK}{{"event": "start", "stage": "finetune", "twin": "docs"}}\n    a line\n{last}\n')
    assert (follower.stage, follower.died) == ("finetune", last.strip())


def test_a_log_that_a_full_disk_does_not_take_hides_no_event() -> None:
    said = io.StringIO()
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("w", buffering=1) as log:
        follower = Follower(log, Narrator(as_json=True, console=Console(file=said)))
        follower.write(f'{MARK}{{"event": "error", "stage": "collect", "text": "full", "code": 1}}\n')
        follower.flush()
    assert follower.error is not None
    assert json.loads(said.getvalue())["text"] == "full"


def test_a_reader_that_leaves_ends_a_run_without_a_traceback(corpus: Path) -> None:
    words = [TWIN, "run", "collect", "--twin", "credit"]
    with subprocess.Popen(words, cwd=corpus, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"collect of twin credit")
        process.stdout.close()
        assert process.stderr.read() == b""


def test_promoting_an_unknown_release_is_told(corpus: Path) -> None:
    done = twin("promote", "nothing", "--twin", "credit", folder=corpus)
    assert done.returncode == 4
    assert "no release 'nothing'" in done.stderr


def test_a_new_key_is_shown_once_and_its_entry_holds_only_the_hash() -> None:
    from components.shared.identity import hash_of

    made = json.loads(twin("keys", "new", "billing", "--role", "caller", "--rate", "60", "--json").stdout)
    assert made["entry"]["hash"] == hash_of(made["key"])
    assert made["entry"]["requests_per_minute"] == 60
    assert made["key"] not in json.dumps(made["entry"])
    refused = twin("keys", "new", "billing", "--role", "root")
    assert refused.returncode == 2
    assert "root" in refused.stderr
