"""`twin submit` and `twin recurring` against a stub of the API, not Kubeflow's server.

The stub holds requests to the models of the generated client; what a real server answers beyond that is not
tested here.
"""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from components.adapters.kfp.recurring import MANAGED, Recurring
from components.shared.config import Config, load, parse
from components.shared.errors import ConfigError, PipelinesError, RunFailedError, TwinError
from pipelines import following, submission
from pipelines.compiler import package_of, version_name
from pipelines.narrator import Narrator
from pipelines.submission import Target
from tests.components.adapters.kfp import stub as kfp_stub
from tests.components.adapters.kfp.stub import Kept

ROOT = Path(__file__).resolve().parents[2]
TWIN = str(Path(sys.executable).parent / "twin")
STORES = {
    "warehouse": "sqlite:////data/warehouse.db", "vectors": "milvus-lite:////data/vectors",
    "features": "feast:////data/features", "tracking": "sqlite:////data/mlflow.db",
    "artifacts": "file:////data/artifacts",
}  # fmt: skip


@pytest.fixture
def stub() -> Iterator[Kept]:
    with kfp_stub.running() as kept:
        yield kept


def overlay(folder: Path, stub: Kept, **cluster: Any) -> Path:
    """A file laid over the project's configuration: profile, stores and the section `cluster`."""
    kfp = {"endpoint": stub.url, "poll_seconds": 0.01, **cluster.pop("kfp", {})}
    path = folder / "cluster.yaml"
    path.write_text(
        yaml.safe_dump({"profile": "cluster", "stores": STORES, "cluster": {**cluster, "kfp": kfp}})
    )
    return path


def configured(folder: Path, stub: Kept, **cluster: Any) -> Config:
    return load(ROOT / "twinstack.yaml", [overlay(folder, stub, **cluster)])


@pytest.fixture
def target(stub: Kept, tmp_path: Path) -> Target:
    return submission.reached(configured(tmp_path, stub))


def task(name: str, state: str, error: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        "display_name": name,
        "state": state,
        "start_time": "2026-01-01T00:00:00Z",
        "end_time": "2026-01-01T00:01:30Z",
    }
    return {**found, "error": {"message": error}} if error else found


def look(state: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"state": state, "run_details": {"task_details": list(tasks)}}


def told(narrator_out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in narrator_out.getvalue().splitlines()]


def narrator(out: io.StringIO) -> Narrator:
    return Narrator(as_json=True, console=Console(file=out))


class TestSubmit:
    def test_uploads_the_pipeline_compiled_for_the_cluster_and_starts_it(
        self, target: Target, stub: Kept
    ) -> None:
        made = submission.submit(target, "train", "docs")
        package = package_of("train", "llm", target.config.cluster)
        assert stub.packages == {"v-1": package}
        (version,) = stub.versions
        assert version["display_name"] == version_name(package) == made.version
        assert version["name"] == f"train-llm-{made.version}"
        run = stub.runs[made.run]
        assert run["pipeline_version_reference"] == {"pipeline_id": "p-1", "pipeline_version_id": "v-1"}
        assert run["service_account"] == "twinstack-pipelines"
        assert made.link == f"{stub.url}/#/runs/details/{made.run}"

    def test_sends_the_configuration_with_paths_that_start_inside_the_image(
        self, target: Target, stub: Kept
    ) -> None:
        made = submission.submit(target, "collect", "credit", allow_dirty=True)
        given = stub.runs[made.run]["runtime_config"]["parameters"]
        assert given["twin"] == "credit"
        assert given["allow_dirty"] is True
        arrived = parse(given["config"])
        assert arrived.root == "/project"
        assert arrived.state == "/tmp/twinstack", "the project of an image belongs to root"
        assert arrived.twins == target.config.twins
        assert arrived.stores == target.config.stores
        assert arrived.cluster.kfp.endpoint == "", "how the server is reached is no business of a stage"

    def test_equal_content_is_uploaded_once(self, target: Target, stub: Kept) -> None:
        first = submission.submit(target, "train", "docs")
        again = submission.submit(target, "train", "docs")
        assert (first.uploaded, again.uploaded) == ("new", "unchanged")
        assert first.version == again.version
        assert len(stub.versions) == len(stub.pipelines) == len(stub.experiments) == 1
        assert len(stub.runs) == 2

    def test_other_settings_are_a_new_version_of_the_same_pipeline(
        self, target: Target, stub: Kept, tmp_path: Path
    ) -> None:
        submission.submit(target, "train", "docs")
        other = configured(tmp_path, stub, stages={"finetune": {"cpu": "4", "cpu_limit": "8"}})
        submission.submit(submission.reached(other), "train", "docs")
        assert len(stub.pipelines) == 1
        assert len(stub.versions) == 2

    def test_a_profile_namespace_goes_with_pipeline_and_experiment(self, stub: Kept, tmp_path: Path) -> None:
        found = configured(tmp_path, stub, kfp={"namespace": "credit-team", "experiment": "nightly"})
        submission.submit(submission.reached(found), "collect", "credit")
        assert stub.pipelines["collect-classic"]["namespace"] == "credit-team"
        assert stub.experiments[0] == {
            "display_name": "nightly", "namespace": "credit-team", "experiment_id": "e-1",
        }  # fmt: skip

    def test_the_link_goes_to_the_address_for_people(self, stub: Kept, tmp_path: Path) -> None:
        found = configured(tmp_path, stub, kfp={"ui": "https://kubeflow.example.org/pipeline"})
        made = submission.submit(submission.reached(found), "collect", "credit")
        assert made.link == f"https://kubeflow.example.org/pipeline/#/runs/details/{made.run}"


class TestAccess:
    def test_a_token_file_is_read_anew_for_every_call(self, stub: Kept, tmp_path: Path) -> None:
        path = tmp_path / "mounted"
        path.write_text("first\n")
        stub.token = "first"
        found = submission.reached(configured(tmp_path, stub, kfp={"token_file": str(path)}))
        submission.submit(found, "collect", "credit")
        path.write_text("second\n")  # as the kubelet does it, long before the old one ends
        stub.token = "second"
        submission.submit(found, "collect", "credit")
        assert len(stub.runs) == 2

    def test_a_token_comes_from_a_variable_as_well(
        self, stub: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KFP_ACCESS", "from-variable")
        stub.token = "from-variable"
        found = configured(tmp_path, stub, kfp={"token_variable": "KFP_ACCESS"})
        submission.submit(submission.reached(found), "collect", "credit")
        assert len(stub.runs) == 1

    def test_without_a_token_the_error_says_where_one_comes_from(self, target: Target, stub: Kept) -> None:
        stub.token = "needed"
        with pytest.raises(
            PipelinesError, match=r"does not know the caller.*cluster\.kfp\.token_file"
        ) as caught:
            submission.submit(target, "collect", "credit")
        assert caught.value.code == 401

    def test_a_token_file_that_is_missing_is_named(self, stub: Kept, tmp_path: Path) -> None:
        gone = str(tmp_path / "gone")
        found = submission.reached(configured(tmp_path, stub, kfp={"token_file": gone}))
        with pytest.raises(ConfigError, match=r"cannot read the token: No such file.*gone"):
            submission.submit(found, "collect", "credit")

    def test_a_token_file_of_a_pod_is_not_asked_for_behind_a_port_forward(
        self, stub: Kept, tmp_path: Path
    ) -> None:
        config = configured(tmp_path, stub, kfp={"token_file": str(tmp_path / "gone")})
        found = submission.reached(config, config.cluster.kfp.endpoint)
        assert submission.submit(found, "collect", "credit").run

    def test_an_empty_variable_is_named(self, stub: Kept, tmp_path: Path) -> None:
        found = submission.reached(configured(tmp_path, stub, kfp={"token_variable": "NOT_SET_ANYWHERE"}))
        with pytest.raises(ConfigError, match="environment variable NOT_SET_ANYWHERE"):
            submission.submit(found, "collect", "credit")

    def test_what_the_caller_may_not_is_said_in_the_words_of_the_server(
        self, target: Target, stub: Kept
    ) -> None:
        stub.faults = [(403, b'{"message": "User \'ana\' is not authorized with reason: list pipelines"}')]
        with pytest.raises(PipelinesError, match=r"may not: User 'ana'.*cluster\.kfp\.namespace"):
            submission.submit(target, "collect", "credit")

    def test_a_page_of_a_proxy_is_quoted_in_short(self, target: Target, stub: Kept) -> None:
        stub.faults = [(502, b"<html>\n<body>Bad gateway" + b"x" * 5_000)]
        with pytest.raises(PipelinesError, match="answers 502: <html> <body>Bad gateway") as caught:
            submission.submit(target, "collect", "credit")
        assert len(str(caught.value)) < 600

    def test_a_server_that_is_not_there_is_named_with_what_to_look_at(
        self, stub: Kept, tmp_path: Path
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
            gone = f"http://127.0.0.1:{closed_at_once.getsockname()[1]}"
        found = submission.reached(configured(tmp_path, stub), gone)
        with pytest.raises(PipelinesError, match=r"no answer.*Connection refused.*port-forward") as caught:
            submission.submit(found, "collect", "credit")
        assert gone in str(caught.value)
        assert caught.value.code == 0

    def test_without_an_endpoint_the_error_shows_a_port_forward(self, stub: Kept, tmp_path: Path) -> None:
        found = submission.reached(configured(tmp_path, stub, kfp={"endpoint": ""}))
        with pytest.raises(ConfigError, match=r"kubectl port-forward"):
            submission.submit(found, "collect", "credit")

    def test_a_laptop_configuration_is_refused_before_anything_is_sent(self) -> None:
        with pytest.raises(ConfigError, match="no other pod sees"):
            submission.reached(load(ROOT / "twinstack.yaml"), "http://127.0.0.1:1")

    def test_unknown_names_are_answered_with_the_known_ones(self, target: Target, stub: Kept) -> None:
        with pytest.raises(ConfigError, match="collect, end_to_end, features"):
            submission.submit(target, "everything", "docs")
        with pytest.raises(TwinError, match="credit, docs"):
            submission.submit(target, "train", "nobody")
        assert stub.requests == []


class TestFollow:
    def run(self, target: Target) -> submission.Submitted:
        return submission.submit(target, "collect", "credit")

    def test_tells_each_stage_once_and_ends_with_the_run(self, target: Target, stub: Kept) -> None:
        run, out = self.run(target), io.StringIO()
        stub.states = [
            look("PENDING"),
            look("RUNNING", task("root-driver", "SUCCEEDED"), task("collect", "RUNNING")),
            look("RUNNING", task("collect", "RUNNING")),
            look("RUNNING", task("collect", "SUCCEEDED"), task("validate", "RUNNING")),
            look("SUCCEEDED", task("collect", "SUCCEEDED"), task("validate", "SKIPPED")),
        ]
        following.follow_all(target.server, [run], narrator(out))
        events = [(one["event"], one.get("stage")) for one in told(out)]
        assert events == [
            ("start", "collect"), ("done", "collect"), ("start", "validate"), ("done", "validate"),
            ("ended", None),
        ]  # fmt: skip
        assert told(out)[1]["seconds"] == 90.0
        assert told(out)[-1] == {
            "event": "ended", "run": run.run, "state": "SUCCEEDED", "link": run.link,
        }  # fmt: skip

    def test_a_failed_run_names_the_stage_and_its_error(self, target: Target, stub: Kept) -> None:
        run, out = self.run(target), io.StringIO()
        failed = task("validate", "FAILED", "exit code 3")
        stub.states = [look("FAILED", task("collect", "SUCCEEDED"), failed, task("report", "SUCCEEDED"))]
        with pytest.raises(RunFailedError, match=r"ended as FAILED in stage validate") as caught:
            following.follow_all(target.server, [run], narrator(out))
        assert run.link in str(caught.value)
        assert {
            "event": "error",
            "stage": "validate",
            "twin": "credit",
            "text": "exit code 3",
            "code": 1,
        } in told(out)

    def test_every_run_is_followed_though_the_first_fails(self, target: Target, stub: Kept) -> None:
        runs, out = [self.run(target), self.run(target)], io.StringIO()
        stub.states = [look("CANCELED"), look("SUCCEEDED")]
        with pytest.raises(RunFailedError, match="CANCELED"):
            following.follow_all(target.server, runs, narrator(out))
        assert [one["state"] for one in told(out) if one["event"] == "ended"] == ["CANCELED", "SUCCEEDED"]

    def test_a_server_that_restarts_is_waited_for(self, target: Target, stub: Kept) -> None:
        run, out = self.run(target), io.StringIO()
        stub.faults = [(503, b"starting"), (502, b""), (500, b"{}")]
        stub.states = [look("SUCCEEDED")]
        following.follow_all(target.server, [run], narrator(out))
        assert told(out)[-1]["state"] == "SUCCEEDED"

    def test_a_server_that_stays_away_ends_following_and_says_that_the_run_goes_on(
        self, target: Target, stub: Kept
    ) -> None:
        run = self.run(target)
        stub.faults = [(503, b"away")] * following.FAILED_LOOKS
        with pytest.raises(PipelinesError, match=rf"the run goes on: {run.link}"):
            following.follow_all(target.server, [run], narrator(io.StringIO()))
        assert stub.faults == []

    def test_a_refusal_is_not_tried_again(self, target: Target, stub: Kept) -> None:
        run = self.run(target)
        stub.faults = [(403, b'{"message": "no"}'), (500, b"never asked for")]
        with pytest.raises(PipelinesError, match="the caller may not: no"):
            following.follow_all(target.server, [run], narrator(io.StringIO()))
        assert len(stub.faults) == 1


class TestRecurring:
    def test_is_created_once_then_left_then_changed(self, target: Target, stub: Kept) -> None:
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

    def test_the_new_one_is_there_before_the_old_one_goes(self, target: Target, stub: Kept) -> None:
        submission.schedule(target, "monitor", "credit", "0 3 * * *")
        stub.requests.clear()
        submission.schedule(target, "monitor", "credit", "0 4 * * *")
        changes = [one.method for one in stub.requests if "recurringruns" in one.path and one.method != "GET"]
        assert changes == ["POST", "DELETE"]

    def test_what_a_killed_submission_left_twice_is_deleted(self, target: Target, stub: Kept) -> None:
        submission.schedule(target, "monitor", "credit", "0 3 * * *")
        stub.recurring.append({**stub.recurring[0], "recurring_run_id": "left-over"})
        assert submission.schedule(target, "monitor", "credit", "0 3 * * *")["change"] == "unchanged"
        assert len(stub.recurring) == 1

    def test_a_schedule_that_somebody_paused_is_brought_back(self, target: Target, stub: Kept) -> None:
        submission.schedule(target, "monitor", "credit", "0 3 * * *")
        stub.recurring[0]["status"] = "DISABLED"
        assert submission.schedule(target, "monitor", "credit", "0 3 * * *")["change"] == "updated"

    def test_the_list_of_the_configuration_is_what_the_server_has(self, stub: Kept, tmp_path: Path) -> None:
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
    def test_a_cron_expression_with_other_fields_is_refused(
        self, cron: str, target: Target, stub: Kept
    ) -> None:
        with pytest.raises(ConfigError, match="use five, as in crontab"):
            submission.schedule(target, "monitor", "credit", cron)
        assert stub.recurring == []


class TestCommand:
    def twin(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith("TWINSTACK_")}
        return subprocess.run(
            [TWIN, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
        )

    def test_submits_follows_and_exits_with_0(self, stub: Kept, tmp_path: Path) -> None:
        stub.states = [
            look("RUNNING", task("collect", "RUNNING")),
            look("SUCCEEDED", task("collect", "SUCCEEDED")),
        ]
        over = overlay(tmp_path, stub)
        done = self.twin("submit", "collect", "--twin", "credit", "--overlay", str(over))
        assert done.returncode == 0, done.stderr
        assert "#/runs/details/r-1" in done.stdout
        assert "✓ collect" in done.stdout

    def test_a_failed_run_exits_with_21_in_one_line(self, stub: Kept, tmp_path: Path) -> None:
        stub.states = [look("FAILED", task("collect", "FAILED", "out of memory"))]
        over = overlay(tmp_path, stub)
        done = self.twin("submit", "collect", "-t", "credit", "--overlay", str(over), "--json")
        assert done.returncode == 21
        assert done.stderr.count("\n") == 1
        events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
        assert events == ["submitted", "error", "ended"]

    def test_recurring_runs_are_listed_with_what_changed(self, stub: Kept, tmp_path: Path) -> None:
        over = overlay(tmp_path, stub)
        words = ("submit", "monitor", "--overlay", str(over), "--cron", "0 3 * * *", "--json")
        rows = json.loads(self.twin(*words).stdout)["recurring"]
        assert {row["recurring run"]: row["change"] for row in rows} == {
            "monitor-docs": "created",
            "monitor-credit": "created",
        }

    def test_a_server_that_is_not_there_exits_with_20(self, stub: Kept, tmp_path: Path) -> None:
        over = overlay(tmp_path, stub)
        done = self.twin("recurring", "--overlay", str(over), "--endpoint", "http://127.0.0.1:9")
        # An empty list still asks the server, to remove what left it.
        assert done.returncode == 20
        assert "Traceback" not in done.stderr


def test_the_stub_refuses_what_the_api_does_not_have() -> None:
    import kfp_server_api as api

    kfp_stub.checked(api.V2beta1Run, {"display_name": "a", "runtime_config": {"parameters": {"x": 1}}})
    wrongs: tuple[dict[str, Any], ...] = (
        {"displayname": "a"},
        {"runtime_config": {"parameter": {}}},
        {"state": "DONE"},
        {"display_name": 1},
    )
    for wrong in wrongs:
        with pytest.raises(kfp_stub.RefusedError):
            kfp_stub.checked(api.V2beta1Run, wrong)
