"""What a stage says of a disk that takes nothing more."""

import json
import sqlite3
from pathlib import Path

import pytest

from components.runtime import entry
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import MissingError, StorageError
from components.shared.manifests import Manifest
from components.shared.progress import MARK


def full_disk(context: Context) -> Manifest:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    raise AssertionError


def full_database(context: Context) -> Manifest:
    """As Feast's online store fails, for which nobody here stands between."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE t (x)")
    database.execute("PRAGMA max_page_count = 2")
    database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    raise AssertionError


@pytest.mark.parametrize("run", [full_disk, full_database])
def test_a_full_disk_is_an_event_with_its_remedy(
    corpus: Path, capsys: pytest.CaptureFixture[str], run: entry.Run
) -> None:
    context = Context(load(corpus / "twinstack.yaml"), "credit", "collect")
    with pytest.raises(StorageError, match="free space on its disk"):
        entry.run_stage(run, context, {})
    told = json.loads(capsys.readouterr().out.splitlines()[-1].split(MARK, 1)[1])
    assert (told["event"], told["stage"]) == ("error", "collect")
    assert "free space" in told["text"]


def test_a_lost_file_of_an_artifact_is_told_with_the_folder_to_delete(corpus: Path) -> None:
    context = Context(load(corpus / "twinstack.yaml"), "credit", "validate")
    recipe = context.config.state_path / "artifacts" / "collect" / "r1"

    def reading(context: Context) -> Manifest:
        return Manifest.model_validate_json((recipe / "sub" / "table.parquet").read_bytes())

    with pytest.raises(MissingError, match=f"table.parquet; delete {recipe}, then run again"):
        entry.run_stage(reading, context, {})


def test_what_nobody_knows_stays_as_it_is(corpus: Path) -> None:
    def failing(context: Context) -> Manifest:
        raise KeyError("x")

    with pytest.raises(KeyError):
        entry.run_stage(failing, Context(load(corpus / "twinstack.yaml"), "credit", "collect"), {})
