"""What a caller may leave out, and that it then means what an empty cell of the file means."""

import math

import pandas as pd
import pytest

from components.runtime import features
from components.serving.classic.instances import Checker
from components.shared.config.classic import Table
from components.shared.errors import RequestError
from tests.components.classic_fixtures import credit, finished

TABLE = Table.model_validate(
    {
        "path": "people.csv",
        "label": "outcome",
        "positive": "yes",
        "columns": {
            "income": {"type": "number", "optional": True},
            "city": {"type": "text", "optional": True},
            "age": {"type": "integer"},
            "outcome": {"type": "text"},
        },
    }
)
CHECKER = Checker(TABLE, ("income", "city", "age"), 8)


@pytest.mark.parametrize("sent", [{"age": 3}, {"age": 3, "income": None, "city": None}])
def test_what_is_optional_may_be_null_or_left_out_and_is_recorded_as_null(sent: dict[str, object]) -> None:
    found = CHECKER.one(sent, "instances[0]")
    assert math.isnan(found.values["income"])
    assert found.values["city"] == ""
    assert found.said("id") == {"income": None, "city": "", "age": 3}


@pytest.mark.parametrize("sent", [{"income": 1.0}, {"age": None}, {"age": 3, "income": "much"}])
def test_what_is_not_optional_has_to_be_there_and_right(sent: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        CHECKER.one(sent, "instances[0]")


def test_a_missing_number_gives_the_features_that_the_pipeline_gives() -> None:
    config, made = finished()
    row = pd.read_parquet(made["validated"].folder / "table.parquet").head(1)
    row["credit_amount"] = math.nan
    batch = features.frame(features.plan(config, "credit", mode="batch"), row)

    table = config.twin("credit").model_dump()["table"]
    table["columns"]["credit_amount"]["optional"] = True
    plan = features.plan(credit(config.state_path, table=table), "credit", mode="online")
    sent = row[[name for name in plan.inputs if name != "credit_amount"]].to_dict("records")[0]
    instance = Checker(Table.model_validate(table), tuple(plan.inputs), 1).one(sent, "instances[0]")
    online = plan.run(instance.values)

    assert math.isnan(online["amount_log"])
    pd.testing.assert_series_equal(batch.iloc[0], pd.Series(online), check_names=False)
