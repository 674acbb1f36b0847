"""The stand-in of a Kubernetes API server, for every test that talks to one."""

from collections.abc import Iterator

import pytest

from tests.components.adapters.kubernetes.stand_in import Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server().start()
    yield made
    made.stop()
