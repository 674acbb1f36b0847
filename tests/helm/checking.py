"""The strict check of objects: the API's own schemas, where this machine has them, and the table of rules."""

import importlib.util
from functools import cache
from typing import Any

import pytest

from tests.helm.rendering import ROOT, Object
from tests.kubernetes.api_rules import refusals
from tests.kubernetes.versions import KUBERNETES

#: Beside a checkout, or beside the folder of a worktree.
CHECKS = [ROOT.joinpath(*[".."] * up, "shared/tools/check_manifests.py") for up in (1, 2)]


@cache
def _checker() -> Any:
    found = next((path for path in CHECKS if path.exists()), None)
    if found is None:
        return None
    spec = importlib.util.spec_from_file_location("check_manifests", found)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def findings(made: Object) -> list[tuple[str, str]]:
    """Path and message for everything wrong with an object; skips the test where nothing can tell."""
    if _checker() is None:
        pytest.skip("no ../shared/tools/check_manifests.py here: objects are not checked by schema")
    return [*_checker().findings(made, KUBERNETES), *(("", said) for said in refusals(made))]
