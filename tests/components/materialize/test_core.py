"""Stage materialize: what it leaves, what it refuses, that a re-run equals a run."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from components.materialize import core
from components.runtime.context import Context
from components.shared.config import Config
from components.shared.errors import ConfigError, DataError, TwinError
from components.shared.manifests import Manifest
from tests.components.classic_fixtures import credit, finished, tables
from tests.components.samples import classic_twin

FLOW = """
from components.dataflows.columns import Number, Text

def {name}({argument}: {kind}) -> Number:
    return {body}
"""


def flow(
    folder: Path, body: str, *, name: str = "wanted", argument: str = "credit_amount", kind: str = "Number"
) -> str:
    """Write a dataflow of one node, outside the package; its path."""
    path = folder / "flow.py"
    path.write_text(FLOW.format(name=name, argument=argument, kind=kind, body=body))
    return str(path)


def run(config: Config) -> Manifest:
    return core.run(Context(config, "credit", "materialize"), validated=tables(config, "credit")["validated"])


def test_shapes_and_types_of_what_it_leaves() -> None:
    config, made = finished()
    table = pd.read_parquet(made["features"].folder / "features.parquet")
    twin = classic_twin(config)
    assert list(table.columns) == ["applicant_id", "event_timestamp", *twin.features]
    assert str(table["event_timestamp"].dtype) == "datetime64[us, UTC]"
    assert {str(table[name].dtype) for name in twin.features} == {"float64"}
    assert made["features"].facts["rows"] == len(table) == 1000
    assert made["features"].text("feature_version") == made["features"].version


def test_online_equals_offline_for_every_row() -> None:
    config, made = finished()
    context = Context(config, "credit", "test")
    table = pd.read_parquet(made["features"].folder / "features.parquet")
    names = list(classic_twin(config).features)
    found = context.stores.features.online(made["features"].version, "credit").lookup(
        table["applicant_id"].tolist()
    )
    assert found == table[names].to_dict("records")


def test_feast_knows_what_the_features_mean() -> None:
    config, made = finished()
    reader = Context(config, "credit", "test").stores.features.online(made["features"].version, "credit")
    fields = {field.name: field for field in reader.store.get_feature_view("features").features}
    assert "each month" in fields["credit_per_month"].description
    assert fields["credit_per_month"].tags == {"unit": "DM/month"}


def test_a_re_run_equals_a_run(tmp_path: Path) -> None:
    dataflow = flow(tmp_path, "credit_amount / 2")
    config = credit(tmp_path / "one", dataflow=dataflow, features=["wanted"])
    first = run(config)
    assert run(config).skipped.startswith("unchanged")
    other = run(credit(tmp_path / "two", dataflow=dataflow, features=["wanted"]))
    assert not other.skipped and other.version == first.version
    # The feature store is lost: the next run makes the version again from the committed values.
    shutil.rmtree(tmp_path / "one" / "features")
    again = run(config)
    assert again.skipped and again.version == first.version
    reader = Context(config, "credit", "test").stores.features.online(again.version, "credit")
    assert reader.lookup(["A0001"]) == [{"wanted": 1169 / 2}]


def test_code_that_changes_no_value_changes_no_version(tmp_path: Path) -> None:
    config = credit(tmp_path / "s", dataflow=flow(tmp_path, "credit_amount / 2"), features=["wanted"])
    first = run(config)
    flow(tmp_path, "credit_amount * 0.5")
    second = run(config)
    assert not second.skipped and second.version == first.version


@pytest.mark.parametrize(
    ("node", "error", "message"),
    [
        ({"body": "purpose / 2", "argument": "purpose", "kind": "Text"}, DataError, "node 'wanted' fails"),
        (
            {"body": "purpose", "argument": "purpose", "kind": "Text"},
            DataError,
            "type is object, not a number",
        ),
        ({"body": "credit_amount / 0"}, DataError, "1000 of 1000 values are infinite"),
        ({"body": "credit_amount.iloc[:5]"}, DataError, "not a column of 1000"),
        ({"body": "3.0"}, DataError, "it is 3.0, not a column"),
        ({"body": "salary", "argument": "salary"}, ConfigError, r"needs \['salary'\]"),
        (
            {"body": "creditability", "argument": "creditability", "kind": "Text"},
            ConfigError,
            "reads the label",
        ),
        ({"body": "credit_amount", "name": "another"}, ConfigError, r"no nodes \['wanted'\].*another"),
    ],
)
def test_a_feature_that_cannot_be_used_is_named(
    tmp_path: Path, node: dict[str, str], error: type[TwinError], message: str
) -> None:
    config = credit(tmp_path / "state", dataflow=flow(tmp_path, **node), features=["wanted"])
    with pytest.raises(error, match=message):
        run(config)
    assert not list((tmp_path / "state").rglob("materialize/*/manifest.json"))
