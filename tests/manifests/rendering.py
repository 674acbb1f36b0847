"""The kustomizations, rendered by kubectl, and the tools that judge what comes out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.versions import KUBERNETES

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
OVERLAYS = sorted(path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml"))
OPTIONS = sorted(path.parent.name for path in MANIFESTS.glob("options/*/kustomization.yaml"))

Object = dict[str, Any]


@cache
def built(folder: Path) -> str:
    """YAML of a kustomization; the test is skipped where there is no kubectl."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed: kustomizations are not rendered here")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(folder: Path) -> list[Object]:
    """Objects of a kustomization."""
    return [one for one in yaml.load_all(built(folder), Loader=yaml.CSafeLoader) if one]


def overlay(name: str) -> list[Object]:
    """Objects of an overlay."""
    return objects(MANIFESTS / "overlays" / name)


def with_option(name: str, folder: Path) -> Path:
    """A kustomization of the base and one option alone."""
    place = {
        part: os.path.relpath(MANIFESTS / part, folder.resolve()) for part in ("base", f"options/{name}")
    }
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    text = {**head, "resources": [place["base"]], "components": [place[f"options/{name}"]]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return folder


def checker() -> Path:
    """The offline check against the schemas of Kubernetes; the test is skipped where it is not."""
    for above in ROOT.parents[:2]:
        if (path := above / "shared" / "tools" / "check_manifests.py").is_file():
            return path
    pytest.skip("shared/tools/check_manifests.py does not lie beside this checkout: schemas are not checked")


def accepted(texts: Mapping[str, str], folder: Path) -> None:
    """Every object of every text passes the check."""
    program, paths = checker(), [folder / f"{name}.yaml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text)
    words = [sys.executable, str(program), "--kube", KUBERNETES, *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def identity(one: Object, namespace: str = "") -> tuple[str, str, str, str]:
    """Group, kind, namespace and name: what makes two objects the same one."""
    group = one["apiVersion"].rpartition("/")[0]
    return group, one["kind"], one["metadata"].get("namespace", namespace), one["metadata"]["name"]
