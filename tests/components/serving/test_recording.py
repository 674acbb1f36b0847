"""What the real server keeps of its answers, and of what callers say of them."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.adapters.stores import Stores
from components.runtime.history.lineage import trace
from components.shared.config import Config, load
from components.shared.interactions import CONFIGURATIONS, FEEDBACK, INTERACTIONS, Interaction
from tests.components.serving.conftest import start, stop
from tests.conftest import until


def kept(config: Config, twin: str, request_id: str) -> Interaction:
    """The interaction of a request, once it is shipped."""
    warehouse = Stores(config).warehouse
    until(lambda: warehouse.count(INTERACTIONS, twin=twin, source=request_id) == 1, 20, "shipping")
    (found,) = warehouse.scan(INTERACTIONS, twin=twin, source=request_id)
    return Interaction.model_validate(found["body"])


def test_an_answer_of_an_llm_twin(served: Any) -> None:
    answer = served.chat("What is an index version?", max_tokens=3)
    found = kept(served.config, "docs", answer.headers["x-request-id"])
    assert found.output == answer.json()["choices"][0]["message"]["content"]
    assert found.inputs[-1]["content"] == "What is an index version?"
    assert list(found.context) == [one["chunk_id"] for one in answer.json()["twinstack"]["citations"]]
    assert found.release == served.docs.id
    assert found.status == 200
    assert found.completion_tokens == answer.json()["usage"]["completion_tokens"]
    assert found.cost == pytest.approx(found.prompt_tokens * 1e-6 + found.completion_tokens * 1e-5)
    assert 0 < found.first_token <= found.seconds
    assert {"retrieval", "predictor"} <= set(found.timings)
    assert Stores(served.config).warehouse.get(CONFIGURATIONS, found.config)


def test_a_streamed_answer(served: Any) -> None:
    answer = served.chat("What is an index version?", max_tokens=3, stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    found = kept(served.config, "docs", answer.headers["x-request-id"])
    assert found.status == 200
    assert found.finish in ("length", "stop")
    assert found.cost > 0


def test_a_prediction_under_the_callers_own_request_id(served: Any) -> None:
    body = {"instances": [{"applicant_id": "A0001"}, {"applicant_id": "A0002"}]}
    path = "/v1/models/credit:predict"
    answer = served.client.post(path, json=body, headers={"x-request-id": "loan-17"})
    found = kept(served.config, "credit", "loan-17")
    assert found.inputs == body["instances"]
    assert found.output == answer.json()["predictions"]
    assert found.id != "loan-17"


def test_feedback_needs_the_request_id_only(served: Any) -> None:
    request_id = served.chat("What is the warehouse?", max_tokens=1).headers["x-request-id"]
    answer = served.post("/v1/feedback", {"request_id": request_id, "score": 1})
    assert (answer.status_code, answer.json()["model"]) == (202, "docs"), answer.text
    # An answer that this process has not given itself.
    body = {"request_id": "of-yesterday", "id": "f" * 32, "twin": "credit"}
    stored = {"_id": "f" * 32, "twin": "credit", "source": "of-yesterday", "body": body}
    Stores(served.config).warehouse.apply({INTERACTIONS: ([stored], ())})
    answer = served.post("/v1/feedback", {"request_id": "of-yesterday", "score": 1})
    assert (answer.status_code, answer.json()["model"]) == (202, "credit"), answer.text


def test_feedback_is_kept_once_a_caller_and_answer(served: Any) -> None:
    request_id = served.chat("What is the warehouse?", max_tokens=2).headers["x-request-id"]
    for score, text in ((1, "good"), (-1, "on second thoughts: wrong")):
        said = {"model": "docs", "request_id": request_id, "score": score, "text": text}
        answer = served.post("/v1/feedback", said)
        assert answer.status_code == 202, answer.text
    warehouse = Stores(served.config).warehouse

    def newest() -> bool:
        found = [one["body"]["score"] for one in warehouse.scan(FEEDBACK, twin="docs", source=request_id)]
        return found == [-1]

    until(newest, 20, "the second feedback")
    metrics = served.client.get("/metrics").text
    assert f'twinstack_feedback_total{{release="{served.docs.id}",twin="docs",verdict="positive"}}' in metrics


@pytest.mark.parametrize(
    ("wrong", "status", "param"),
    [
        ({"score": 2}, 400, "score"),
        ({"score": float("inf")}, 400, "score"),
        ({"text": "x" * 4001}, 400, "text"),
        ({"request_id": "../../etc"}, 400, "request_id"),
        ({"model": "nobody"}, 404, "model"),
        ({"model": None}, 404, "request_id"),
        ({"more": 1}, 400, "more"),
    ],
)
def test_feedback_that_is_wrong_names_its_field(served: Any, wrong: Any, status: int, param: str) -> None:
    import json

    body = {"model": "docs", "request_id": "r", "score": 1, **wrong}
    answer = served.post("/v1/feedback", json.dumps(body).encode())
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["param"] == param


def test_a_killed_server_has_lost_nothing_and_its_successor_ships_it(released: Any) -> None:
    folder, _, *_ = released
    config = load(folder / "twinstack.yaml")
    before = dict(os.environ)
    os.environ["TWINSTACK_SERVING__INTERACTIONS__SHIP_SECONDS"] = "3600"
    try:
        running = start(folder, "--twin", "credit")
    finally:
        os.environ.clear()
        os.environ.update(before)
    asked = [f"killed-{number}" for number in range(20)]
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        for one in asked:
            body = {"instances": [{"applicant_id": "A0001"}]}
            answer = client.post("/v1/models/credit:predict", json=body, headers={"x-request-id": one})
            assert answer.status_code == 200
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(timeout=30)
    warehouse = Stores(config).warehouse
    missing = [one for one in asked if not warehouse.count(INTERACTIONS, twin="credit", source=one)]
    assert missing, "nothing was in the spool only"
    following = start(folder, "--twin", "credit")
    for one in asked:
        assert kept(config, "credit", one).status == 200
    assert stop(following) == 0


def test_a_server_that_cannot_keep_answers_gives_none(released: Any, tmp_path: Path) -> None:
    folder, *_ = released
    before = dict(os.environ)
    os.environ["TWINSTACK_SERVING__INTERACTIONS__MIN_FREE_BYTES"] = str(2**50)
    try:
        running = start(folder, "--twin", "credit")
    finally:
        os.environ.clear()
        os.environ.update(before)
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        body = {"instances": [{"applicant_id": "A0001"}]}
        answer = client.post("/v1/models/credit:predict", json=body)
        assert answer.status_code == 503
        assert answer.json()["error"]["type"] == "storage_error"
        assert "retry-after" in answer.headers
        assert 'twinstack_limited_total{limit="storage",twin="none"} 1.0' in client.get("/metrics").text
    assert stop(running) == 0


def named(node: dict[str, Any]) -> dict[str, list[str]]:
    """Kind to names, of a whole tree."""
    found = {node["kind"]: [node["name"]]}
    for parent in node["parents"]:
        for kind, names in named(parent).items():
            found.setdefault(kind, []).extend(names)
    return found


def test_lineage_goes_from_an_answer_to_its_documents(served: Any) -> None:
    answer = served.chat("What is an index version?", max_tokens=3)
    request_id = answer.headers["x-request-id"]
    kept(served.config, "docs", request_id)
    (tree,) = trace(Stores(served.config), served.config.twins, request_id)
    found = named(tree.as_json())
    cited = answer.json()["twinstack"]["citations"]
    assert found["chunk"] == [one["chunk_id"] for one in cited]
    assert found["document"] == [one["path"] for one in cited]
    assert found["index or feature version"] == [served.docs.index_version]
    assert found["git commit"] == [served.docs.commit]
    assert found["release"] == [served.docs.id]
    assert {"validated", "collected", "model version", "configuration", "evaluation"} <= set(found)


def test_lineage_of_a_prediction(served: Any) -> None:
    body = {"instances": [{"applicant_id": "A0003"}]}
    served.client.post("/v1/models/credit:predict", json=body, headers={"x-request-id": "loan-18"})
    kept(served.config, "credit", "loan-18")
    (tree,) = trace(Stores(served.config), served.config.twins, "loan-18")
    found = named(tree.as_json())
    assert found["index or feature version"] == [served.credit.feature_version]
    assert {"validated", "collected", "dataset version"} <= set(found)
