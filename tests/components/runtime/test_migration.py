"""The step before an installation or an upgrade."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.runtime.migration import STORES, migrate
from components.shared.config import load
from components.shared.errors import ConfigError
from tests.conftest import environment


def test_it_makes_what_is_not_there_and_again_changes_nothing(corpus: Path) -> None:
    config = load(corpus / "twinstack.yaml")
    assert migrate(config) == STORES
    assert (config.state_path / "warehouse.db").exists()
    assert migrate(config) == STORES


def test_a_store_that_no_adapter_opens_stops_it(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINSTACK_STORES__FEATURES", "nowhere://host/features")
    with pytest.raises(ConfigError, match=r"stores\.features"):
        migrate(load(corpus / "twinstack.yaml"))


def test_the_module_says_what_is_wrong_and_fails(corpus: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "components.runtime.migration", "--config", str(corpus / "none.yaml")],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == ConfigError.exit_code
    assert "none.yaml" in done.stderr
