"""Starting, stopping, measuring; and the fallback."""

import signal
import socket
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from components.adapters.warehouse.sqlite import SqliteWarehouse
from components.serving.server import serve
from components.shared.config import Config
from components.shared.errors import ConfigError, MissingError, TwinError
from components.shared.metrics.table import TABLE, exposed
from components.shared.releases import TRAFFIC
from tests.components.serving.conftest import project, start, stop
from tests.conftest import free_port, until

#: Metrics that the requests below do not bring about, and why.
EXCEPTIONS = {
    "twinstack_fallback_total": "no model fails",
    "twinstack_disconnect_total": "no client leaves",
    "twinstack_limited_total": "nothing is refused",
    "twinstack_token_budget_spent_ratio": "there are no keys",
    "twinstack_token_budget_refused_total": "there are no keys",
    "twinstack_release_failed": "every release opens",
    "twinstack_standby_state": "no release waits for a promotion, and there is none to go back to",
    "twinstack_retry_total": "no predictor fails",
    "twinstack_shadow_total": "no release is a shadow",
    "twinstack_feedback_total": "nobody says anything",
    "twinstack_quality": "no label has come",
    "twinstack_label_ratio": "no label has come",
}


def samples(text: str) -> dict[str, set[str]]:
    """Sample name to its label names, of our metrics."""
    return {
        sample.name: set(sample.labels) - {"le"}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("twinstack_")
    }


def scrape_until(served: Any, *names: str) -> dict[str, set[str]]:
    """Samples of a scrape that holds the named ones, which appear a moment after the answer."""
    found: dict[str, set[str]] = {}

    def there() -> bool:
        found.update(samples(served.client.get("/metrics").text))
        return set(names) <= set(found)

    until(there, 60, f"samples {names}")
    return found


def test_metrics_are_those_of_the_table(served: Any) -> None:
    served.predict({"applicant_id": "A0001"})
    served.chat("What is an index version, and who is ana@example.org?", max_tokens=3)
    served.predict(*[{"applicant_id": f"A{number:04}"} for number in range(1, 61)])
    found = scrape_until(served, "twinstack_drift_window_rows", "twinstack_personal_data_total")
    table = {name: set(one.labels) for one in TABLE for name in exposed(one)}
    assert found.items() <= table.items()
    used = {one.name for one in TABLE if one.side == "front"} - set(EXCEPTIONS)
    assert used <= {name.removesuffix("_count") for name in found}


def test_requests_tokens_and_their_cost_are_counted(served: Any) -> None:
    def total(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(served.client.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    labels = {"twin": "docs", "release": served.docs.id}
    before = total("twinstack_tokens_total", kind="completion", **labels)
    paid = total("twinstack_cost_total", **labels)
    usage = served.chat("What is an index version?", max_tokens=3).json()["usage"]
    assert total("twinstack_tokens_total", kind="completion", **labels) - before == usage["completion_tokens"]
    cost = usage["prompt_tokens"] * 1e-6 + usage["completion_tokens"] * 1e-5
    assert total("twinstack_cost_total", **labels) - paid == pytest.approx(cost)
    wanted = {"twin": "credit", "route": "predict_v1", "code": "404"}
    before = total("twinstack_request_total", **wanted)
    served.post("/v1/models/credit:predict", {"instances": [{"applicant_id": "A9999"}]})
    assert total("twinstack_request_total", **wanted) - before == 1


def test_port_in_use_names_port_and_remedy(released: Any) -> None:
    _, config, *_ = released
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TwinError, match=f"port {port}.*--port"):
            serve(config, ["credit"], port=port)


def test_twin_without_champion(tmp_path: Path) -> None:
    config = project(tmp_path)
    with pytest.raises(MissingError, match="twin run end_to_end"):
        serve(config, port=0)
    with pytest.raises(MissingError, match="twin 'credit' has no champion"):
        serve(config, ["credit"], port=0)
    with pytest.raises(ConfigError, match="no twin 'nope'"):
        serve(config, ["nope"], port=0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(released: Any, number: int) -> None:
    folder, *_ = released
    running = start(folder, "--twin", "credit")
    assert stop(running, number) == 0, "".join(running.log)
    assert "stopped" in running.log[-1]
    assert "Traceback" not in "".join(running.log)


def test_a_server_that_is_to_end_is_not_ready_but_still_answers(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, *_ = released
    monkeypatch.setenv("TWINSTACK_SERVING__DRAIN_SECONDS", "3")
    running = start(folder, "--twin", "credit")
    running.process.send_signal(signal.SIGTERM)
    with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client:
        until(lambda: client.get("/v2/health/ready").status_code == 503, 10, "the end of readiness")
        body = {"instances": [{"applicant_id": "A0001"}]}
        assert client.post("/v1/models/credit:predict", json=body).status_code == 200
        assert client.get("/v2/health/live").status_code == 200
    assert running.process.wait(timeout=60) == 0


def test_stopped_while_it_loads(released: Any) -> None:
    folder, *_ = released
    running = start(folder, "--twin", "docs", until="loading twin")
    assert stop(running) == 0, "".join(running.log)
    assert "Traceback" not in "".join(running.log)


def test_a_config_of_ours_is_not_read_as_kserves(released: Any) -> None:
    """KServe parses `--config` as its own `--configure_logging`; the server above was started with it."""
    import sys

    from components.serving.rest import quiet_arguments

    assert isinstance(released[1], Config)
    words = sys.argv
    with quiet_arguments():
        assert len(sys.argv) == 1
    assert sys.argv is words


def on_a_cluster(folder: Path, state: Path, warehouse: Path) -> None:
    """Write the folder's configuration anew as a pod reads it: a URI for every store."""
    values = yaml.safe_load((folder / "twinstack.yaml").read_text(encoding="utf-8"))
    stores = {
        "warehouse": f"sqlite://{warehouse}",
        "vectors": f"milvus-lite://{state}/vectors",
        "features": f"feast://{state}/features",
        "tracking": f"sqlite://{state}/mlflow/mlflow.db",
        "artifacts": f"file://{state}/artifacts",
    }
    text = yaml.safe_dump({**values, "profile": "cluster", "stores": stores})
    (folder / "cluster.yaml").write_text(text, encoding="utf-8")


def test_a_pod_waits_for_the_first_release_and_then_serves_it(released: Any, tmp_path: Path) -> None:
    _, config, credit, _ = released
    project(tmp_path)
    with (
        sqlite3.connect(config.state_path / "warehouse.db") as whole,
        sqlite3.connect(tmp_path / "warehouse.db") as copy,
    ):
        whole.backup(copy)
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    traffic = warehouse.get(TRAFFIC, "credit")
    assert traffic is not None
    warehouse.apply({TRAFFIC: ((), ["credit"])})
    on_a_cluster(tmp_path, config.state_path, tmp_path / "warehouse.db")
    port = free_port()
    words = ("--twin", "credit", "--config", "cluster.yaml", "--port", str(port))
    running = start(tmp_path, *words, until="waiting for it")
    address, body = f"http://127.0.0.1:{port}", {"instances": [{"applicant_id": "A0001"}]}
    assert httpx.get(f"{address}/v2/health/live").status_code == 200
    assert httpx.get(f"{address}/v2/health/ready").status_code == 503
    warehouse.apply({TRAFFIC: ([traffic], ())})

    def answered() -> bool:
        return httpx.post(f"{address}/v1/models/credit:predict", json=body).status_code == 200

    until(answered, 120, "the release that was promoted")
    answer = httpx.post(f"{address}/v1/models/credit:predict", json=body)
    assert answer.headers["x-twinstack-release"] == credit.id
    assert stop(running) == 0, "".join(running.log)
