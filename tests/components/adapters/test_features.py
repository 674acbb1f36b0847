"""Feature versions in Feast: point-in-time joins, online values, repeatable building."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from components.adapters.features.repository import TIME, Description
from components.adapters.features.s3 import S3Features
from components.adapters.features.store import MARKER, Features
from components.shared.errors import ConfigError, MissingError
from tests import servers

DESCRIPTION = Description(twin="test-twin", version="v1", key="id", features=("amount", "level"), ttl_days=30)


def day(*numbers: float) -> pd.Series:
    return pd.Series([pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=one) for one in numbers])


@pytest.fixture
def table() -> pd.DataFrame:
    """Entity a changes twice, b is known once, c has a missing value."""
    return pd.DataFrame(
        {
            "id": ["a", "a", "a", "b", "c"],
            TIME: day(0, 10, 20, 5, 5),
            "amount": [1.0, 2.0, 3.0, 10.0, 0.1 + 0.2],
            "level": [0.0, 1.0, 2.0, 5.0, float("nan")],
        }
    )


@pytest.fixture
def store(tmp_path: Path, table: pd.DataFrame) -> Features:
    made = Features(tmp_path)
    made.write(DESCRIPTION, table)
    return made


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis") / "server") as uri:
        yield uri


@pytest.fixture(params=["folder", "redis", "s3"])
def shared(
    request: pytest.FixtureRequest, tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Features]:
    """A version that one process wrote, opened by another; with S3 they share no folder."""
    if request.param == "folder":
        Features(tmp_path).write(DESCRIPTION, table)
        yield Features(tmp_path)
        return
    online = request.getfixturevalue("redis")
    if request.param == "redis":
        Features(tmp_path, online).write(DESCRIPTION, table)
        yield Features(tmp_path, online)
        return
    with servers.object_storage(monkeypatch) as uri:
        S3Features(uri, tmp_path / "writer", online).write(DESCRIPTION, table)
        yield S3Features(uri, tmp_path / "reader", online)


def test_a_join_takes_what_was_known_and_nothing_later(shared: Features) -> None:
    asked = pd.DataFrame(
        {
            "id": ["a", "a", "a", "a", "b", "b", "b"],
            TIME: day(-1, 0, 9.99, 10, 4, 5, 36),
            "case": range(7),
        }
    )
    found = shared.history("test-twin", "v1", asked).sort_values("case")
    assert list(found.columns) == ["id", TIME, "case", "amount", "level"]
    nothing = float("nan")
    # Before the first value, at it, just before the second, at it; before, at, and past the time to live.
    expected = [nothing, 1.0, 1.0, 2.0, nothing, 10.0, nothing]
    pd.testing.assert_series_equal(found["amount"].reset_index(drop=True), pd.Series(expected, name="amount"))


def test_rows_of_one_entity_and_time_are_all_kept(store: Features) -> None:
    asked = pd.DataFrame({"id": ["a", "a"], TIME: day(15, 15), "label": [0, 1]})
    found = store.history("test-twin", "v1", asked)
    assert sorted(found["label"]) == [0, 1]
    assert found["amount"].tolist() == [2.0, 2.0]


def test_online_gives_the_newest_value_to_the_last_bit(shared: Features) -> None:
    reader = shared.online("v1", "test-twin")
    assert reader.features == ("amount", "level")
    assert reader.lookup(["c", "absent", "a"]) == [
        {"amount": 0.1 + 0.2, "level": None},
        None,
        {"amount": 3.0, "level": 2.0},
    ]
    assert reader.lookup([]) == []


def test_a_reader_answers_several_threads(store: Features) -> None:
    reader = store.online("v1", "test-twin")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(reader.lookup, [["a"], ["b"]] * 100))
    assert found == [[{"amount": 3.0, "level": 2.0}], [{"amount": 10.0, "level": 5.0}]] * 100


def test_a_reader_opens_by_folder_too(store: Features) -> None:
    folder = store.folder("test-twin", "v1")
    for place in (str(folder), folder.as_uri()):
        assert store.online(place, "test-twin").lookup(["b"]) == [{"amount": 10.0, "level": 5.0}]


def test_an_interrupted_version_does_not_exist_and_is_made_again(
    store: Features, table: pd.DataFrame
) -> None:
    (store.folder("test-twin", "v1") / MARKER).unlink()
    assert not store.exists("test-twin", "v1")
    with pytest.raises(MissingError, match="no feature version 'v1'"):
        store.online("v1", "test-twin")
    store.write(DESCRIPTION, table.iloc[:4])
    assert store.online("v1", "test-twin").lookup(["c", "b"]) == [None, {"amount": 10.0, "level": 5.0}]


def test_an_old_version_answers_beside_a_new_one(shared: Features, table: pd.DataFrame) -> None:
    old = shared.online("v1", "test-twin")
    shared.write(DESCRIPTION.model_copy(update={"version": "v2"}), table.assign(amount=table["amount"] + 100))
    assert old.lookup(["b"]) == [{"amount": 10.0, "level": 5.0}]
    assert shared.online("v2", "test-twin").lookup(["b"]) == [{"amount": 110.0, "level": 5.0}]


def test_a_version_that_nobody_wrote_is_missing(shared: Features) -> None:
    assert shared.exists("test-twin", "v1") and not shared.exists("test-twin", "v9")
    with pytest.raises(MissingError, match="no feature version 'v9'"):
        shared.online("v9", "test-twin")


def test_a_front_fetches_no_history(
    tmp_path: Path, table: pd.DataFrame, redis: str, monkeypatch: Any
) -> None:
    with servers.object_storage(monkeypatch) as uri:
        S3Features(uri, tmp_path / "writer", redis).write(DESCRIPTION, table)
        reader = S3Features(uri, tmp_path / "reader", redis)
        assert reader.online("v1", "test-twin").lookup(["b"]) == [{"amount": 10.0, "level": 5.0}]
        assert not list((tmp_path / "reader").rglob("features.parquet"))


def test_history_in_object_storage_without_an_online_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\?online=redis"):
        S3Features("s3://bucket/x", tmp_path, "")


def test_feast_does_not_take_over_the_metrics_of_the_process() -> None:
    code = (
        "import os; from components.adapters.features.repository import import_feast; import_feast();"
        "from prometheus_client import values;"
        "print('PROMETHEUS_MULTIPROC_DIR' in os.environ, values.ValueClass.__name__)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("PROMETHEUS")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "MutexValue"]


def test_importing_feast_brings_no_pytorch_and_gives_it_when_feast_asks() -> None:
    code = (
        "import sys, typeguard; from components.adapters.features.repository import import_feast;"
        "before = typeguard.typechecked; import_feast(); print('torch' in sys.modules);"
        "from feast.torch_wrapper import get_torch; print(get_torch().__name__);"
        "print(typeguard.typechecked is before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "torch", "True"]
