"""A stub of the API, and the cluster that a configuration names by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import submission
from pipelines.submission import Target
from tests.components.adapters.kfp import stub as kfp_stub
from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import configured


@pytest.fixture
def stub() -> Iterator[Kept]:
    with kfp_stub.running() as kept:
        yield kept


@pytest.fixture
def target(stub: Kept, tmp_path: Path) -> Target:
    return submission.reached(configured(tmp_path, stub))
