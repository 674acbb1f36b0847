"""Where a thing comes from: commit, dirtiness, package versions."""

import os
import subprocess
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from components.shared.errors import LineageError

#: Set by the images at build time, where there is no git checkout.
COMMIT_VARIABLE = "TWINSTACK_GIT_COMMIT"

#: Packages whose version can change a result.
PACKAGES = (
    "apache-hamilton", "feast", "kfp", "kserve", "milvus-lite", "mlflow", "numpy", "pandas", "peft",
    "pymilvus", "scikit-learn", "torch", "transformers", "twinstack", "xgboost", "xgboost-cpu",
)  # fmt: skip


class Code(BaseModel):
    """The code a thing was made with."""

    model_config = ConfigDict(frozen=True)

    commit: str
    dirty: bool
    changed: tuple[str, ...] = ()


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed program, no shell
        ["git", "-C", str(root), *words],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LineageError(f"git {words[0]} failed: {done.stderr.strip()}", where=str(root))
    return done.stdout


def code(root: Path) -> Code:
    """The commit of the checkout at `root`, or of the image this runs in.

    Raises:
        LineageError: There is neither.
    """
    if commit := os.environ.get(COMMIT_VARIABLE):
        return Code(commit=commit, dirty=False)
    try:
        commit = _git(root, "rev-parse", "HEAD").strip()
        status = _git(root, "status", "--porcelain", "--untracked-files=normal")
    except (LineageError, FileNotFoundError) as error:
        raise LineageError(
            f"the code has no commit ({error})",
            where=str(root),
            remedy=f"run inside a git checkout with a commit, or set {COMMIT_VARIABLE}",
        ) from error
    changed = tuple(line[3:] for line in status.splitlines())
    return Code(commit=commit, dirty=bool(changed), changed=changed)


def require_committed(root: Path, *, allow_dirty: bool) -> Code:
    """The code, refused where it holds uncommitted changes.

    Raises:
        LineageError: There are uncommitted changes and they are not allowed.
    """
    found = code(root)
    if found.dirty and not allow_dirty:
        named = ", ".join(found.changed[:5]) + (" …" if len(found.changed) > 5 else "")  # noqa: PLR2004
        raise LineageError(
            f"{len(found.changed)} uncommitted changes: {named}",
            where=str(root),
            remedy="commit them, or allow it with --allow-dirty (the model is then marked dirty)",
        )
    return found


def packages() -> dict[str, str]:
    """Versions of the installed packages that can change a result."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
