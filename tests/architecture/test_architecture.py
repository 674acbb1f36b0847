"""What holds the house together, read from the code."""

import ast
import importlib
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = ROOT / "components"
STAGES = (
    "collect", "validate", "materialize", "embed", "snapshot", "instruct", "train", "finetune", "evaluate",
    "gate", "release", "monitor",
)  # fmt: skip
SOURCES = sorted(
    path for folder in ("components", "pipelines", "tools") for path in (ROOT / folder).rglob("*.py")
)

#: Libraries that a compile, a `--help` and a skipped stage must not pay for.
HEAVY = (
    "torch", "transformers", "peft", "mlflow", "feast", "pymilvus", "milvus_lite", "pandas", "kserve",
    "hamilton", "xgboost", "sklearn", "matplotlib",
)  # fmt: skip


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_imports_keep_the_contracts() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_house_is_drawn_as_the_contracts_hold_it() -> None:
    """Each layer of import-linter has an arrow to all of the next layer, and there is no other."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [{"pipelines"}] + [
        {"stages" if one in STAGES else one for one in layer.split(" | ")} for layer in contract["layers"]
    ]
    page = (ROOT / "docs/explanation/house.md").read_text()
    drawing = page.split("```mermaid\nflowchart TD\n")[1].split("```")[0]
    drawn = {
        (above, below)
        for line in drawing.splitlines()
        for left, right in [re.split(r" (?:-- \S+ )?--> ", line.strip())]
        for above, below in itertools.product(left.split(" & "), right.split(" & "))
    }
    assert drawn == {
        pair for upper, lower in itertools.pairwise(layers) for pair in itertools.product(upper, lower)
    }


def test_every_stage_has_its_folder_and_no_other_has_a_shell() -> None:
    assert {path.parent.name for path in COMPONENTS.glob("*/component.py")} == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
class TestStage:
    def test_the_folder_is_complete(self, stage: str) -> None:
        for name in ("__init__.py", "component.py", "core.py", "__main__.py"):
            assert (COMPONENTS / stage / name).is_file(), name

    def test_init_holds_a_docstring_and_nothing_else(self, stage: str) -> None:
        # kfp is loaded without its DSL at run time: an import of the shell here would fail there.
        body = tree(COMPONENTS / stage / "__init__.py").body
        assert len(body) == 1
        assert ast.get_docstring(tree(COMPONENTS / stage / "__init__.py"))

    def test_the_shell_is_thin(self, stage: str) -> None:
        functions = [
            node
            for node in tree(COMPONENTS / stage / "component.py").body
            if isinstance(node, ast.FunctionDef)
        ]
        assert [node.name for node in functions] == [stage]
        (shell,) = functions
        assert ast.get_docstring(shell)
        assert shell.end_lineno is not None
        branches = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Match)
        assert not [node for node in ast.walk(shell) if isinstance(node, branches)], "no decision in a shell"
        assert shell.end_lineno - shell.body[0].lineno + 1 <= 25

    def test_the_core_is_a_plain_function(self, stage: str) -> None:
        (run,) = [
            node
            for node in tree(COMPONENTS / stage / "core.py").body
            if isinstance(node, ast.FunctionDef) and node.name == "run"
        ]
        assert run.args.args[0].arg == "context"
        assert isinstance(run.returns, ast.Name)
        assert run.returns.id == "Manifest"
        assert ast.get_docstring(run)

    def test_the_slots_are_the_same_in_all_three_ways_in(self, stage: str) -> None:
        (run,) = [
            node
            for node in tree(COMPONENTS / stage / "core.py").body
            if isinstance(node, ast.FunctionDef) and node.name == "run"
        ]
        module = importlib.import_module(f"components.{stage}.component")
        spec = getattr(module, stage).component_spec
        slots = set(spec.inputs or {}) - {"config", "twin", "allow_dirty"}
        assert slots == {one.arg for one in [*run.args.args[1:], *run.args.kwonlyargs]}
        assert all(spec.inputs[slot].optional for slot in slots)
        entry = (COMPONENTS / stage / "__main__.py").read_text()
        (call,) = [node for node in ast.walk(ast.parse(entry)) if isinstance(node, ast.Call)]
        words = [one.value for one in call.args if isinstance(one, ast.Constant)]
        assert words[0] == stage
        assert set(words[1:]) == slots

    def test_the_reference_describes_it(self, stage: str) -> None:
        assert f"## Stage `{stage}`" in (ROOT / "docs/reference/stages.md").read_text(encoding="utf-8")

    def test_the_shell_imports_nothing_heavy(self, stage: str) -> None:
        loaded = modules_after(f"import components.{stage}.component")
        assert loaded.isdisjoint(HEAVY), sorted(loaded & set(HEAVY))


def modules_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_all_pipelines_import_nothing_heavy() -> None:
    loaded = modules_after("import pipelines.recipes")
    assert loaded.isdisjoint(HEAVY), sorted(loaded & set(HEAVY))


def test_the_command_line_imports_neither_kfp_nor_anything_heavy() -> None:
    loaded = modules_after("import pipelines.cli")
    assert loaded.isdisjoint({*HEAVY, "kfp"}), sorted(loaded & {*HEAVY, "kfp"})


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_kfp_is_known_to_shells_and_pipelines_only(path: Path) -> None:
    if "kfp" in imported(path):
        assert path.name == "component.py" or relative(path).startswith("pipelines/")


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_stay_small_and_say_what_they_are(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nothing_that_runs_code_is_loaded_from_files(path: Path) -> None:
    assert not imported(path) & {"pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"}


def test_no_test_imports_another_test() -> None:
    """What several tests need is a module of its own, or a fixture: a test may then be moved or deleted."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path in tests
        for node in tree(path).body
        if isinstance(node, ast.ImportFrom) and re.search(r"(^|\.)test_", node.module or "")
    ]
    assert len(tests) > 100
    assert wrong == []


def test_dataflows_know_no_adapter_and_no_outside_system() -> None:
    outside = {"pymilvus", "milvus_lite", "feast", "mlflow", "kserve", "sqlite3", "kfp", "requests", "httpx"}
    for path in (COMPONENTS / "dataflows").rglob("*.py"):
        assert not imported(path) & outside, relative(path)


def test_every_stage_names_an_image_that_has_a_containerfile() -> None:
    for stage in STAGES:
        module = importlib.import_module(f"components.{stage}.component")
        image = getattr(module, stage).component_spec.implementation.container.image
        short = image.split("/")[1].split(":")[0].removesuffix("-python")
        assert (ROOT / "images" / f"{short}.Containerfile").is_file(), image


def test_no_file_names_a_place_on_this_machine() -> None:
    # `/tmp` and `/opt/twinstack` are places inside the images; a checkout or a home folder is nobody else's.
    places = tuple("/" + one for one in ("work/", "home/", "Users/", "root/"))
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in (".py", ".md", ".yaml", ".toml", ".Containerfile", ""):
            text = path.read_text(encoding="utf-8")
            assert not [one for one in places if f" {one}" in text or f'"{one}' in text], name


def test_an_exit_code_belongs_to_one_error() -> None:
    found: dict[int, list[str]] = {}
    for path in SOURCES:
        for kind in (node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)):
            for line in kind.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "exit_code":
                    found.setdefault(ast.literal_eval(line.value), []).append(kind.name)
    assert len(found) > 10
    assert {code: kinds for code, kinds in found.items() if len(kinds) > 1} == {}
