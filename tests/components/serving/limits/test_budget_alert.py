"""A key whose token budget is spent, at a real LLM front, under a real Prometheus with the shipped rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from components.shared.identity import hash_of, new_key
from tests.components.serving.conftest import start, stop
from tests.conftest import until
from tests.observability import processes
from tools.observability.__main__ import rule_files
from tools.observability.promql import Clock

pytestmark = processes.needs("prometheus")

NAME, CALLER = "TwinstackTokenBudgetSpent", new_key()

#: Tokens a day; a request below takes a handful.
BUDGET = 60


@dataclass(frozen=True)
class Budgeted:
    """A front of twin docs with one key, and what watches it."""

    client: httpx.Client
    keys: Path
    prometheus: str

    def allow(self, tokens: int) -> None:
        """Set the key's budget."""
        self.keys.write_text(
            json.dumps([{"id": "caller", "hash": hash_of(CALLER), "tokens_per_day": tokens}])
        )

    def ask(self, most: int = 1) -> httpx.Response:
        body = {"model": "docs", "prompt": "One, two,", "max_tokens": most, "temperature": 0}
        headers = {"authorization": f"Bearer {CALLER}"}
        return self.client.post("/openai/v1/completions", json=body, headers=headers)

    def query(self, text: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": text}, trust_env=False)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def alerts(self, state: str) -> list[dict[str, Any]]:
        """The alert on the key while it is in a state."""
        found = httpx.get(f"{self.prometheus}/api/v1/alerts", trust_env=False).json()["data"]["alerts"]
        return [one for one in found if one["labels"]["alertname"] == NAME and one["state"] == state]


@pytest.fixture
def budgeted(released: Any, tmp_path: Path) -> Iterator[Budgeted]:
    folder, *_ = released
    keys = tmp_path / "keys.yaml"
    values = yaml.safe_load((folder / "twinstack.yaml").read_text())
    values["serving"] = {"keys": {"file": str(keys)}}
    (folder / "budget.yaml").write_text(yaml.safe_dump(values))
    with httpx.Client(timeout=60, trust_env=False) as client:
        made = Budgeted(client, keys, "")
        made.allow(BUDGET)
        running = start(folder, "--twin", "docs", "--config", "budget.yaml")
        client.base_url = running.url
        rules = rule_files(Clock(4 / 3600, shortest=2))
        nobody = "http://127.0.0.1:9"  # who is told is another test's subject
        with processes.prometheus(tmp_path, rules, [running.url], nobody) as prometheus:
            yield Budgeted(client, keys, prometheus)
    assert stop(running) == 0, "".join(running.log)


def test_a_spent_budget_raises_an_alert_that_ends_when_there_are_tokens_again(budgeted: Budgeted) -> None:
    assert budgeted.ask().status_code == 200
    until(lambda: budgeted.ask().status_code == 429, 60, "the end of the budget")
    refused = budgeted.ask()
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert int(refused.headers["retry-after"]) > 0
    until(lambda: budgeted.alerts("firing"), 30, "the alert")
    (alert,) = budgeted.alerts("firing")
    assert alert["labels"]["key"] == "caller"
    assert alert["annotations"]["summary"].startswith("API key caller has spent ")
    assert CALLER not in json.dumps(alert)
    assert budgeted.query(f'max_over_time(ALERTS{{alertname="{NAME}",alertstate="pending"}}[1m])')
    budgeted.allow(100 * BUDGET)
    until(lambda: budgeted.ask().status_code == 200, 30, "tokens again")
    until(lambda: not budgeted.alerts("firing"), 30, "the end of the alert")


def test_a_request_that_what_is_left_does_not_suffice_for_raises_it_long_before(budgeted: Budgeted) -> None:
    usage = budgeted.ask().json()["usage"]

    def refused() -> bool:
        return budgeted.ask(BUDGET - usage["prompt_tokens"]).status_code == 429

    # An hour is four seconds here, and the condition has to hold for two of them: it goes on being refused.
    until(lambda: refused() and budgeted.alerts("firing"), 60, "the alert")
    (share,) = budgeted.query("twinstack_token_budget_spent_ratio")
    assert 0 < float(share["value"][1]) < 0.5
    until(lambda: not budgeted.alerts("firing"), 30, "the end of the alert, as nothing is refused any more")
