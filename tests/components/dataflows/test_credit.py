"""Features of twin credit: the same number in a pipeline and in a request."""

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.dataflows import credit
from components.runtime import features
from components.runtime.dataflow import Plan
from components.shared.config import load
from tests.components.classic_fixtures import REPOSITORY
from tests.components.samples import classic_twin

CONFIG = load(REPOSITORY / "twinstack.yaml")
TWIN = classic_twin(CONFIG)
RAW = pd.read_csv(REPOSITORY / TWIN.table.path, keep_default_na=False)
BATCH = features.plan(CONFIG, "credit", mode="batch")
ONLINE = features.plan(CONFIG, "credit", mode="online")


def same(one: float, other: Any) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def test_offline_equals_online_for_every_row_of_the_data() -> None:
    offline = features.frame(BATCH, RAW)
    assert offline.shape == (1000, len(TWIN.features))
    rows: list[Any] = RAW.to_dict("records")
    for row, raw in enumerate(rows):
        online = ONLINE.run(raw)
        different = [name for name in TWIN.features if not same(online[name], offline.at[row, name])]
        assert not different, f"row {row}"


def applications() -> st.SearchStrategy[dict[str, Any]]:
    """Any application that the declared columns allow, categories that never occurred included."""
    columns: dict[str, st.SearchStrategy[Any]] = {}
    for name, column in TWIN.table.columns.items():
        if column.type == "text":
            columns[name] = st.sampled_from(sorted(RAW[name].unique())) | st.text(min_size=1, max_size=10)
        else:
            columns[name] = st.integers(int(column.minimum or 0), int(column.maximum or 10**6))
    return st.fixed_dictionaries(columns)


@settings(max_examples=100, deadline=None)
@given(st.lists(applications(), min_size=1, max_size=5))
def test_offline_equals_online_for_any_allowed_application(rows: list[dict[str, Any]]) -> None:
    offline = features.frame(BATCH, pd.DataFrame(rows))
    for row, raw in enumerate(rows):
        online = ONLINE.run(raw)
        assert all(same(online[name], offline.at[row, name]) for name in TWIN.features)
        assert not any(math.isinf(value) for value in online.values())


def test_protected_characteristics_and_the_label_are_not_read() -> None:
    assert not {"personal_status_and_sex", "foreign_worker", TWIN.table.label} & {*BATCH.inputs}


def test_every_category_of_the_data_has_a_rank() -> None:
    assert not features.frame(BATCH, RAW).isna().to_numpy().any()


def test_an_unknown_category_is_missing_not_an_error() -> None:
    plan = Plan(credit, ["savings_level", "savings_unknown"])
    found = plan.run({"savings_account_and_bonds": "gold"})
    assert math.isnan(found["savings_level"]) and found["savings_unknown"] == 0.0


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("duration", {"duration_in_month": 18}, 1.5),
        ("credit_per_month", {"credit_amount": 1200, "duration_in_month": 12}, 100.0),
        ("amount_log", {"credit_amount": 1}, 0.0),
        ("burden", {"installment_rate_in_percentage_of_disposable_income": 4, "duration_in_month": 6}, 2.0),
        ("checking_level", {"status_of_existing_checking_account": "... < 0 DM"}, 0.0),
        ("plan_elsewhere", {"other_installment_plans": "stores"}, 1.0),
        ("home_owned", {"housing": "rent"}, 0.0),
    ],
)
def test_values_by_hand(name: str, inputs: dict[str, Any], expected: float) -> None:
    assert Plan(credit, [name]).run(inputs)[name] == expected


def test_every_feature_says_what_it_is() -> None:
    nodes = BATCH.driver.graph.nodes
    assert not [name for name in TWIN.features if not nodes[name].documentation.strip()]
    assert not [name for name in TWIN.features if not {"unit", "scale"} & {*nodes[name].tags}]
