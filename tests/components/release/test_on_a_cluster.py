"""Stage release on a cluster: the traffic flips when the predictor is ready, and not before.

Stores are the embedded ones by their URIs; the API server is the stand-in.
"""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.release import core
from components.runtime import champion, fronts, policy
from components.runtime.context import Context
from components.runtime.fronts import Front
from components.shared.config import Config, load
from components.shared.config.cluster import Api, Cluster
from components.shared.config.predictors import PredictorWork
from components.shared.errors import TwinError
from components.shared.releases import Part, Traffic
from pipelines.traffic import changed, promoted, rolled_back
from tests.components.adapters.kubernetes.deploying import PROBLEMS, SERVICES, becomes_ready, has_pod
from tests.components.adapters.kubernetes.stand_in import TOKEN, Server
from tests.components.release.made import inputs


@pytest.fixture
def config(corpus: Path, tmp_path: Path, server: Server) -> Config:
    local = load(corpus / "twinstack.yaml")
    state = local.state_path
    (tmp_path / "token").write_text(TOKEN)
    cluster = Cluster(
        api={"server": server.url, "token_file": str(tmp_path / "token")},
        predictors={"ready_seconds": 5, "failing_seconds": 0, "kept": 1, "artifacts_claim": "artifacts"},
    )
    stores = local.stores.model_copy(
        update={
            "warehouse": f"sqlite://{state}/warehouse.db",
            "vectors": f"milvus-lite://{state}/vectors",
            "features": f"feast://{state}/features",
            "tracking": f"sqlite://{state}/mlflow/mlflow.db",
            "artifacts": f"file://{state}",
        }
    )
    return local.model_copy(update={"profile": "cluster", "cluster": cluster, "stores": stores})


@pytest.fixture
def context(config: Config) -> Context:
    return Context(config, "credit", "release")


def given(context: Context, decision: str, dataset: str) -> dict[str, Any]:
    return inputs(context, decision, dataset)


def released(context: Context, server: Server, dataset: str, version: int) -> str:
    server.steps = [becomes_ready(f"credit-m{version}")]
    return core.run(context, **given(context, "release", dataset)).text("release")


def service_in_the_making(name: str, version: str) -> dict[str, Any]:
    """What the release stage of another run has applied and waits for."""
    labels = {
        "app.kubernetes.io/managed-by": "twinstack",
        "twinstack.io/twin": "credit",
        "twinstack.io/model-version": version,
    }
    return {"kind": "InferenceService", "metadata": {"name": name, "labels": labels}}


def answering(context: Context) -> Any:
    return champion.champion(context)


def test_the_traffic_flips_to_a_ready_predictor_and_names_it(context: Context, server: Server) -> None:
    seen: list[object] = []

    def ready(one: Server) -> None:
        seen.append(answering(context))
        becomes_ready("credit-m1")(one)

    server.steps = [ready]
    core.run(context, **given(context, "release", "d1"))
    assert seen == [None], "nothing answered while the predictor was not ready"
    found = answering(context)
    assert found.predictor == "http://credit-m1-predictor.twinstack.svc.cluster.local#credit-m1"
    annotations = server.get(SERVICES, "credit-m1")["metadata"]["annotations"]
    assert annotations["twinstack.io/run"] == found.run
    assert annotations["twinstack.io/model-digest"] == "m-d1" and len(annotations["twinstack.io/run"]) == 32


def test_a_candidate_that_is_not_ready_is_taken_back_and_the_champion_stays(
    context: Context, server: Server
) -> None:
    first = released(context, server, "d1", 1)
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    broken = given(context, "release", "d2")

    server.steps = [has_pod("credit-m2", **PROBLEMS["image"][0])]
    with pytest.raises(TwinError, match="ImagePullBackOff"):
        core.run(context, **broken)
    assert answering(context).id == first
    registered = context.stores.registry.champion("credit")
    assert registered is not None and registered.version == "1"
    assert server.names(SERVICES) == ["credit-m1"]


def test_releasing_again_repairs_the_predictor_and_says_unchanged(context: Context, server: Server) -> None:
    released(context, server, "d1", 1)
    server.objects.clear()
    server.steps = [becomes_ready("credit-m1")]
    made = core.run(context, **given(context, "release", "d1"))
    assert made.skipped == "unchanged: this release answers already"
    assert server.names(SERVICES) == ["credit-m1"]


def test_champion_and_one_step_of_rollback_keep_their_predictors(context: Context, server: Server) -> None:
    for number in (1, 2, 3):
        released(context, server, f"d{number}", number)
    assert server.names(SERVICES) == ["credit-m2", "credit-m3"]


def test_a_rollback_waits_for_a_predictor_that_was_cleaned(
    context: Context, server: Server, config: Config
) -> None:
    first = released(context, server, "d1", 1)
    released(context, server, "d2", 2)
    server.objects.clear()
    server.steps = [becomes_ready("credit-m1")]
    told: list[str] = []
    assert rolled_back(config, "credit", told.append)["release"] == first
    assert answering(context).predictor.endswith("#credit-m1")
    assert "InferenceService credit-m1 is ready" in told


def test_a_rollback_gives_back_the_gpu_of_what_was_rolled_back_and_of_nothing_else(
    context: Context, server: Server, config: Config
) -> None:
    first = released(context, server, "d1", 1)
    second = released(context, server, "d2", 2)
    server.put(SERVICES, service_in_the_making("credit-m3", "3"))
    told: list[str] = []
    assert rolled_back(config, "credit", told.append)["release"] == first
    assert server.names(SERVICES) == ["credit-m1", "credit-m3"], "another's release that is waited for stays"
    assert told[-1] == "nothing is sent to it any more, deleted: credit-m2"
    server.steps = [becomes_ready("credit-m2")]
    promoted(config, "credit", second)
    assert answering(context).predictor.endswith("#credit-m2"), "it can be brought back"


def test_what_another_release_still_answers_with_survives_a_rollback(
    context: Context, server: Server, config: Config
) -> None:
    first = released(context, server, "d1", 1)
    second = released(context, server, "d2", 2)
    warehouse = context.stores.warehouse
    alike = champion.read_release(warehouse, "credit", second).model_copy(update={"id": "alike"})
    champion.store(warehouse, alike)
    policy.changed(warehouse, "credit", {"shadow": Part(release="alike", share=0.5)})
    assert rolled_back(config, "credit")["release"] == first
    assert server.names(SERVICES) == ["credit-m1", "credit-m2"]


def test_a_predictor_that_a_running_front_may_still_ask_stays(
    context: Context, server: Server, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fronts.followed, "__kwdefaults__", {"most": 0.2, "clock": time.monotonic})
    released(context, server, "d1", 1)
    second = released(context, server, "d2", 2)
    unable = Front(id="pod-1", twin="credit", at=time.time(), revision=9, champion=second)
    fronts.tell(context.stores.warehouse, unable)
    told: list[str] = []
    rolled_back(config, "credit", told.append)
    assert server.names(SERVICES) == ["credit-m1", "credit-m2"]
    assert "a running server has not followed yet" in told[-1]


def test_a_canary_that_ends_keeps_its_predictor_while_a_front_still_asks_it(
    context: Context, server: Server, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fronts.followed, "__kwdefaults__", {"most": 0.2, "clock": time.monotonic})
    first = released(context, server, "d1", 1)
    waiting = core.run(context, **given(context, "ask", "d2")).text("release")
    server.steps = [becomes_ready("credit-m2")]
    changed(config, "credit", {"canary": Part(release=waiting, share=0.5)})
    warehouse = context.stores.warehouse
    slow = Front(id="pod-1", twin="credit", at=time.time(), revision=1, champion=first)
    fronts.tell(warehouse, slow)
    changed(config, "credit", {"canary": None})
    assert server.names(SERVICES) == ["credit-m1", "credit-m2"]
    fronts.tell(warehouse, slow.model_copy(update={"revision": 9}))
    changed(config, "credit", {"canary": None})
    assert server.names(SERVICES) == ["credit-m1"]


def test_a_front_that_follows_in_time_is_waited_for(context: Context) -> None:
    warehouse, now = context.stores.warehouse, Traffic(twin="credit", champion="r1", revision=3)

    def tells(revision: int, release: str) -> None:
        front = Front(id="pod-1", twin="credit", at=time.time(), revision=revision, champion=release)
        fronts.tell(warehouse, front)

    for revision, release in ((2, "r1"), (3, "r2")):
        tells(revision, release)
        assert not fronts.followed(warehouse, now, most=0.0)
    timer = threading.Timer(0.3, tells, (3, "r1"))
    timer.start()
    assert fronts.followed(warehouse, now)
    timer.join()


def test_a_rollback_holds_where_the_predictor_cannot_be_deleted(
    context: Context, server: Server, config: Config
) -> None:
    first = released(context, server, "d1", 1)
    released(context, server, "d2", 2)
    server.rules = tuple(replace(one, verbs=tuple(set(one.verbs) - {"delete"})) for one in server.rules)
    told: list[str] = []
    assert rolled_back(config, "credit", told.append)["release"] == first
    assert answering(context).id == first
    assert "stays until the next change" in told[-1]
    assert "forbidden" in told[-1]


def test_a_rollback_to_what_does_not_come_up_changes_nothing(
    context: Context, server: Server, config: Config
) -> None:
    released(context, server, "d1", 1)
    second = released(context, server, "d2", 2)
    server.objects.clear()
    server.rules = ()
    with pytest.raises(TwinError, match="forbidden"):
        rolled_back(config, "credit")
    assert answering(context).id == second


def test_what_waits_for_a_person_is_made_when_the_person_promotes_it(
    context: Context, server: Server, config: Config
) -> None:
    waiting = core.run(context, **given(context, "ask", "d1")).text("release")
    assert server.names(SERVICES) == [] and not server.calls
    server.steps = [becomes_ready("credit-m1")]
    promoted(config, "credit", waiting)
    assert answering(context).id == waiting
    assert server.names(SERVICES) == ["credit-m1"]


def in_front(config: Config, **changes: Any) -> Config:
    """The same installation, whose twin answers in its front, as seen by a process with no API server."""
    predictors = config.cluster.predictors.model_copy(
        update={"twins": {"credit": PredictorWork(in_front=True)}}
    )
    cluster = config.cluster.model_copy(update={"predictors": predictors, **changes})
    return config.model_copy(update={"cluster": cluster})


def test_a_twin_that_answers_in_its_front_needs_no_api_server(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    alone = in_front(config, api=Api())
    here = Context(alone, "credit", "release")
    first = core.run(here, **given(here, "release", "d1")).text("release")
    second = core.run(here, **given(here, "release", "d2")).text("release")
    assert (answering(here).id, answering(here).predictor) == (second, "")
    changed(alone, "credit", {"shadow": Part(release=first, share=0.5)})
    assert rolled_back(alone, "credit")["release"] == first
    promoted(alone, "credit", second)
    assert answering(here).id == second


def test_a_twin_that_answers_in_its_front_from_now_on_gives_its_predictors_back(
    context: Context, server: Server, config: Config
) -> None:
    first = released(context, server, "d1", 1)
    here = Context(in_front(config), "credit", "release")
    second = core.run(here, **given(here, "release", "d2")).text("release")
    core.run(here, **given(here, "release", "d3"))
    assert server.names(SERVICES) == [] and first != second
    assert answering(here).predictor == ""


def test_predictors_that_may_not_be_looked_for_any_more_fail_no_release_in_the_front(
    context: Context, server: Server, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    released(context, server, "d1", 1)
    server.rules = ()
    here = Context(in_front(config), "credit", "release")
    second = core.run(here, **given(here, "release", "d2")).text("release")
    assert answering(here).id == second
    assert "those it had may still be there" in capsys.readouterr().out


def test_predictors_that_may_not_be_cleaned_fail_a_release_that_has_one(
    context: Context, server: Server
) -> None:
    released(context, server, "d1", 1)
    server.rules = tuple(replace(one, verbs=tuple(set(one.verbs) - {"list"})) for one in server.rules)
    with pytest.raises(TwinError, match="forbidden"):
        released(context, server, "d2", 2)
