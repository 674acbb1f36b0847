"""Recurring runs are brought to what is wanted, and are never missing in between."""

from pathlib import Path

import pytest

from components.adapters.kfp.recurring import MANAGED, Recurring
from components.shared.errors import ConfigError
from pipelines import submission
from pipelines.submission import Target
from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import configured


def test_is_created_once_then_left_then_changed(target: Target, stub: Kept) -> None:
    changes = [
        submission.schedule(target, "monitor", "credit", cron)["change"]
        for cron in ("0 3 * * *", "0 3 * * *", "0 4 * * *")
    ]
    assert changes == ["created", "unchanged", "updated"]
    (kept,) = stub.recurring
    assert kept["display_name"] == "monitor-credit"
    assert kept["trigger"] == {"cron_schedule": {"cron": "0 0 4 * * *"}}
    assert kept["no_catchup"] is True
    assert kept["max_concurrency"] == "1"
    assert kept["service_account"] == "twinstack-pipelines"


def test_the_new_one_is_there_before_the_old_one_goes(target: Target, stub: Kept) -> None:
    submission.schedule(target, "monitor", "credit", "0 3 * * *")
    stub.requests.clear()
    submission.schedule(target, "monitor", "credit", "0 4 * * *")
    changes = [one.method for one in stub.requests if "recurringruns" in one.path and one.method != "GET"]
    assert changes == ["POST", "DELETE"]


def test_what_a_killed_submission_left_twice_is_deleted(target: Target, stub: Kept) -> None:
    submission.schedule(target, "monitor", "credit", "0 3 * * *")
    stub.recurring.append({**stub.recurring[0], "recurring_run_id": "left-over"})
    assert submission.schedule(target, "monitor", "credit", "0 3 * * *")["change"] == "unchanged"
    assert len(stub.recurring) == 1


def test_a_schedule_that_somebody_paused_is_brought_back(target: Target, stub: Kept) -> None:
    submission.schedule(target, "monitor", "credit", "0 3 * * *")
    stub.recurring[0]["status"] = "DISABLED"
    assert submission.schedule(target, "monitor", "credit", "0 3 * * *")["change"] == "updated"


def test_the_list_of_the_configuration_is_what_the_server_has(stub: Kept, tmp_path: Path) -> None:
    wanted = {
        "nightly": {"pipeline": "end_to_end", "twin": "credit", "cron": "0 2 * * *"},
        "paused": {"pipeline": "monitor", "twin": "docs", "cron": "0 30 6 * * *", "enabled": False},
    }
    stub.page = 1  # so that the list comes in pages
    both = submission.reached(configured(tmp_path, stub, recurring=wanted))
    by_hand = {"recurring_run_id": "theirs", "display_name": "by hand", "experiment_id": "e-1"}
    assert [row["change"] for row in submission.schedule_all(both)] == ["created", "created"]
    stub.recurring.append(by_hand)
    fewer = submission.reached(configured(tmp_path, stub, recurring={"paused": wanted["paused"]}))
    assert [(row["recurring run"], row["change"]) for row in submission.schedule_all(fewer)] == [
        ("paused", "unchanged"),
        ("nightly", "deleted"),
    ]
    assert submission.schedule(fewer, "collect", "credit", "0 1 * * *")["change"] == "created"
    assert [row["change"] for row in submission.schedule_all(fewer)] == ["unchanged"]
    left = {one["display_name"]: one for one in stub.recurring}
    assert set(left) == {"paused", "by hand", "collect-credit"}, "what others asked for is theirs"
    assert left["paused"]["status"] == "DISABLED"
    assert left["paused"]["description"] == MANAGED
    assert len(Recurring(fewer.server).listed()) == 3


@pytest.mark.parametrize("cron", ["* * *", "@daily", "0 0 3 * * * 2026"])
def test_a_cron_expression_with_other_fields_is_refused(cron: str, target: Target, stub: Kept) -> None:
    with pytest.raises(ConfigError, match="use five, as in crontab"):
        submission.schedule(target, "monitor", "credit", cron)
    assert stub.recurring == []
