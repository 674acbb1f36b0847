"""Stage snapshot: the split by time, the point-in-time join, what it leaves."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from components.runtime.context import Context
from components.shared.config.classic import Split
from components.shared.errors import DataError
from components.snapshot import core
from tests.components.classic_fixtures import credit, datasets, finished
from tests.components.samples import classic_twin


def test_shapes_and_types_of_what_it_leaves() -> None:
    config, made = finished()
    twin = classic_twin(config)
    parts = {name: pd.read_parquet(made["dataset"].folder / f"{name}.parquet") for name in core.PARTS}
    assert {name: len(part) for name, part in parts.items()} == {"train": 600, "validation": 150, "test": 250}
    for part in parts.values():
        assert list(part.columns) == ["applicant_id", "event_timestamp", *twin.features, "label"]
        assert str(part["event_timestamp"].dtype) == "datetime64[us, UTC]"
        assert {str(part[name].dtype) for name in twin.features} == {"float64"}
        assert str(part["label"].dtype) == "int64"
    assert sum(part["label"].sum() for part in parts.values()) == 300


def test_oldest_train_newest_test_and_nobody_twice() -> None:
    _, made = finished()
    parts = [pd.read_parquet(made["dataset"].folder / f"{name}.parquet") for name in core.PARTS]
    for older, newer in pairwise(parts):
        assert older["event_timestamp"].max() < newer["event_timestamp"].min()
    assert pd.concat(parts)["applicant_id"].is_unique


def test_features_and_labels_stay_with_their_row() -> None:
    _, made = finished()
    source = pd.read_parquet(made["validated"].folder / "table.parquet").set_index("applicant_id")
    rows = pd.concat(
        pd.read_parquet(made["dataset"].folder / f"{name}.parquet") for name in core.PARTS
    ).set_index("applicant_id")
    source = source.loc[rows.index]
    assert (rows["age"] == source["age_in_years"]).all()
    assert (rows["label"] == (source["creditability"] == "bad")).all()


def test_a_later_value_does_not_leak() -> None:
    config, made = finished()
    context = Context(config, "credit", "test")
    table = pd.read_parquet(made["features"].folder / "features.parquet").head(3)
    early = table[["applicant_id", "event_timestamp"]].copy()
    early["event_timestamp"] -= pd.Timedelta(seconds=1)
    joined = context.stores.features.history("credit", made["features"].version, early)
    assert joined[list(classic_twin(config).features)].isna().to_numpy().all()


def test_a_re_run_equals_a_run(tmp_path: Path) -> None:
    config, made = finished()
    context = Context(config, "credit", "snapshot")
    again = core.run(context, validated=made["validated"], features=made["features"])
    assert again.skipped and again.version == made["dataset"].version
    other = datasets(credit(tmp_path), "credit")["dataset"]
    assert not other.skipped and other.version == made["dataset"].version


def rows(*days: int) -> pd.DataFrame:
    times = [pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=day) for day in days]
    return pd.DataFrame({"event_timestamp": times})


def test_rows_of_one_time_stay_together() -> None:
    parts = core.split(rows(0, 0, 1, 1, 1, 2, 2, 3, 3, 3), Split(validation=0.3, test=0.3))
    times = [set(part["event_timestamp"]) for part in parts.values()]
    assert not times[0] & times[1] and not times[1] & times[2]
    assert sum(len(part) for part in parts.values()) == 10


@pytest.mark.parametrize("days", [(0,), (0, 0, 0, 0), (0, 1)])
def test_an_empty_part_is_refused(days: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="would be empty"):
        core.split(rows(*days), Split())


def test_a_part_of_one_class_is_refused(tmp_path: Path) -> None:
    table = classic_twin(credit(tmp_path)).table.model_dump()
    config = credit(tmp_path, table={**table, "label": "telephone", "positive": "fax"}, features=["age"])
    with pytest.raises(DataError, match="0 of 600 rows of part train are 'fax'"):
        datasets(config, "credit")
