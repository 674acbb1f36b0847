"""Twin credit on KServe's protocols, through the real server."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.adapters.model_files import local_folder
from components.dataflows import boosting, scorecard
from components.runtime.context import Context

Row = Callable[[int], dict[str, Any]]


def tensors(*rows: dict[str, Any]) -> dict[str, Any]:
    """A V2 body of instances."""
    kinds = {str: "BYTES", int: "INT64", float: "FP64"}
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(rows)],
                "datatype": kinds[type(value)],
                "data": [r[name] for r in rows],
            }
            for name, value in rows[0].items()
        ]
    }


def test_by_id_equals_by_raw_columns(served: Any, row: Row) -> None:
    numbers = range(1, 1001, 37)
    by_id = served.predict(*({"applicant_id": f"A{n:04d}"} for n in numbers))
    by_raw = served.predict(*(row(n) for n in numbers))
    assert {one.pop("features_from") for one in by_id} == {"store"}
    assert {one.pop("features_from") for one in by_raw} == {"request"}
    assert by_id == by_raw


def test_answers_are_those_of_the_released_files(served: Any) -> None:
    folder = local_folder(served.credit.model_uri)
    names = json.loads((folder / "features.json").read_text())["features"]
    reader = Context(served.config, "credit", "t").stores.features.online(
        served.credit.feature_version, "credit"
    )
    found = reader.lookup(["A0005"])[0]
    assert found is not None
    matrix = np.array([[found[name] for name in names]], dtype=float)
    answer = served.predict({"applicant_id": "A0005"})[0]
    assert answer["probability"] == pytest.approx(boosting.probability(boosting.load(folder), matrix)[0])
    assert answer["points"] == pytest.approx(scorecard.points(scorecard.load(folder), matrix)[0], abs=0.051)


def test_v1_and_v2_agree(served: Any, row: Row) -> None:
    for rows in ([{"applicant_id": "A0003"}, {"applicant_id": "A0004"}], [row(3), row(4)]):
        answer = served.post("/v2/models/credit/infer", tensors(*rows))
        assert answer.status_code == 200, answer.text
        outputs = {one["name"]: one["data"] for one in answer.json()["outputs"]}
        v1 = served.predict(*rows)
        assert outputs == {name: [one[name] for one in v1] for name in v1[0]}


def test_v2_answers_with_the_tensors_that_are_named(served: Any) -> None:
    body = tensors({"applicant_id": "A0003"})
    answer = served.post("/v2/models/credit/infer", {**body, "outputs": [{"name": "probability"}]})
    assert [one["name"] for one in answer.json()["outputs"]] == ["probability"]
    answer = served.post("/v2/models/credit/infer", {**body, "outputs": [{"name": "nothing"}]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "outputs")


def test_both_ways_in_one_request(served: Any, row: Row) -> None:
    found = served.predict({"applicant_id": "A0002"}, row(2))
    assert [one["features_from"] for one in found] == ["store", "request"]
    assert found[0]["probability"] == found[1]["probability"]


def test_answer_names_release_and_request(served: Any) -> None:
    body = json.dumps({"instances": [{"applicant_id": "A0001"}]})
    answer = served.client.post(
        "/v1/models/credit:predict",
        content=body,
        headers={"x-request-id": "my-id.1", "content-type": "text/plain"},
    )
    assert answer.headers["x-request-id"] == "my-id.1"
    assert answer.headers["x-twinstack-release"] == served.credit.id


def test_unknown_id_is_named(served: Any) -> None:
    answer = served.post("/v1/models/credit:predict", {"instances": [{"applicant_id": "A9999"}]})
    assert answer.status_code == 404
    assert "A9999" in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == "instances[0].applicant_id"


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("duration_in_month", 500, "an integer from 1 to 120"),
        ("duration_in_month", "12", "an integer from 1 to 120"),
        ("duration_in_month", 1.5, "an integer"),
        ("duration_in_month", True, "an integer"),
        ("duration_in_month", None, "an integer"),
        ("credit_amount", 10**30, "an integer from 1"),
        ("purpose", 3, "a text"),
        ("purpose", "", "a text"),
        ("purpose", ["car"], "a text"),
    ],
)
def test_wrong_values_are_named(served: Any, row: Row, field: str, value: Any, allowed: str) -> None:
    answer = served.post("/v1/models/credit:predict", {"instances": [row(1), {**row(2), field: value}]})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == f"instances[1].{field}"
    assert allowed in error["message"]
    if isinstance(value, int | str) and not isinstance(value, bool):
        assert repr(value)[:20] in error["message"] or "1e+30" in error["message"]


def test_too_many_instances(served: Any) -> None:
    body = {"instances": [{"applicant_id": "A0001"}] * (served.config.serving.max_instances + 1)}
    answer = served.post("/v1/models/credit:predict", body)
    assert answer.status_code == 413
    assert "max_instances" in answer.json()["error"]["message"]
    assert 'twinstack_limited_total{limit="size",twin="credit"}' in served.client.get("/metrics").text


def test_the_outcome_is_not_an_input(served: Any, row: Row) -> None:
    answer = served.post("/v1/models/credit:predict", {"instances": [{**row(1), "creditability": "good"}]})
    assert answer.status_code == 400
