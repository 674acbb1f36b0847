"""Every command and every example in README, CONTRIBUTING and docs/ is run, as printed.

The blocks of a page run in their order, in one shell, in a clone of its own of the finished loop's folder and
on the loop's state. A page that calls http://127.0.0.1:8080 talks to the session's server instead. Commands
that cannot be run inside a test are named below with what runs them instead; nothing else is left out.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.shared.config import load
from tests.conftest import Loop

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if found[1] in languages:
            yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


ADDRESS = "http://127.0.0.1:8080"

#: Command to the file and the function that runs it.
ELSEWHERE = {
    "make run": "tests/integration/test_make.py::test_make_run_serves_until_interrupted",
    "make run SERVE=0": "tests/integration/test_make.py::test_make_run_without_serving",
    "make test": ".ci/run::make test",
    "twin serve": "tests/conftest.py::def server",
}

#: `ask` and `predict` have the address as a default, so it does not stand in the page.
PREAMBLE = """
set -euo pipefail
twin() {{
  case "$1" in
    ask|predict) command twin "$@" --url {url} ;;
    *) command twin "$@" ;;
  esac
}}
curl() {{ command curl --fail-with-body --max-time 120 "$@"; }}
"""

WITH_BLOCKS = [page for page in PAGES if list(blocks(page, "bash", "python"))]


def script(page: Path, url: str) -> str:
    """One script of a page; each block says where it stands before it runs."""
    parts = [PREAMBLE.format(url=shlex.quote(url or ADDRESS))]
    for block in blocks(page, "bash", "python"):
        parts.append(f"echo '== {name(page)}, line {block.line}'")
        if block.language == "python":
            parts.append(f"python - <<'PYTHON'\n{block.text}PYTHON")
        else:
            parts += [line for line in block.text.splitlines() if line.strip() not in ELSEWHERE]
    return "\n".join(parts).replace(ADDRESS, url or ADDRESS) + "\n"


def needs_server(page: Path) -> bool:
    text = "".join(block.text for block in blocks(page, "bash"))
    return any(word in text for word in (ADDRESS, "twin ask", "twin predict"))


def project(page: Path, loop: Loop, folder: Path) -> dict[str, str]:
    """A clone in `folder` with the environment of the tests as its `.venv`, and the environment variables."""
    subprocess.run(["git", "clone", "-q", str(loop.folder), str(folder)], check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    with (folder / ".git/info/exclude").open("a") as file:
        file.write(".venv\n")
    env = dict(loop.env)
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "reader", f"GIT_{role}_EMAIL": "reader@example.org"}
    if any("twin new" in block.text for block in blocks(page, "bash")):
        # Another project: it has neither the loop's twins, which the overrides name, nor its state.
        return {key: value for key, value in env.items() if not key.startswith("TWINSTACK_")}
    return {"TWINSTACK_STATE": str(loop.folder / ".twinstack"), **env}


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name)
def test_commands_of_the_page_run(
    page: Path, loop: Loop, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("server").url if needs_server(page) else ""
    folder = tmp_path / "twinstack"
    env = project(page, loop, folder)
    done = subprocess.run(
        ["bash", "-c", script(page, url)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_scripts_are_bash(page: Path) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=script(page, ""), text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_hides_a_command_behind_another_fence(page: Path) -> None:
    languages = {block.language for block in blocks(page, "sh", "shell", "console", "zsh", "")}
    assert not languages, "use ```bash, so that it is run"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_runs_elsewhere_really_does(command: str) -> None:
    path, _, marker = ELSEWHERE[command].partition("::")
    assert marker in (ROOT / path).read_text(encoding="utf-8")


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}
    return over


EXAMPLES = [block for page in PAGES for block in blocks(page, "yaml")]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{name(block.page)}:{block.line}")
def test_configuration_examples_are_valid(block: Block, tmp_path: Path) -> None:
    base = yaml.safe_load((ROOT / "twinstack.yaml").read_text())
    path = tmp_path / "twinstack.yaml"
    path.write_text(yaml.safe_dump(_merged(base, yaml.safe_load(block.text))))
    load(path)
