"""What scales a predictor of the release stage: as the chart scales its own, made and gone with it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.adapters.kubernetes import autoscaling
from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.following import NotReadyError
from components.adapters.kubernetes.inference_service import inference_service
from components.shared.config.cluster import Cluster
from components.shared.config.predictors import PredictorWork
from components.shared.metrics.table import TABLE, exposed
from components.shared.releases import Release
from tests.components.adapters.kubernetes.conftest import release, settings
from tests.components.adapters.kubernetes.deploying import (
    NAME,
    PROBLEMS,
    SERVICES,
    STORE,
    becomes_ready,
    deployer,
    has_pod,
    silent,
)
from tests.components.adapters.kubernetes.stand_in import Server, checker
from tests.helm.rendering import ci, one, render, twin
from tests.kubernetes.versions import KUBERNETES
from tests.observability.boards import metrics_in
from tests.observability.processes import needs

HPAS, SCALED = "horizontalpodautoscalers", "scaledobjects"
TWO: dict[str, Any] = {"max_replicas": 2}
ASLEEP: dict[str, Any] = {"replicas": 0, "max_replicas": 2, "scaling": {"by": "requests"}}


def made(what: Release, cluster: Cluster) -> dict[str, Any]:
    body = inference_service(what, cluster, STORE)
    found = autoscaling.autoscaler(what, body, "uid-1", cluster)
    assert found is not None
    return found


def without_queries(spec: dict[str, Any]) -> dict[str, Any]:
    """A specification without what names its target and its series."""
    triggers = [
        {**one, "metadata": {key: it for key, it in one["metadata"].items() if key != "query"}}
        for one in spec.get("triggers", [])
    ]
    return {**spec, "scaleTargetRef": {**spec["scaleTargetRef"], "name": ""}, "triggers": triggers}


@pytest.mark.parametrize(
    ("kind", "name", "template", "found"),
    [
        ("classic", "credit", "horizontal-pod-autoscalers.yaml", "HorizontalPodAutoscaler"),
        ("llm", "docs", "scaled-objects.yaml", "ScaledObject"),
    ],
)
def test_it_is_what_the_chart_gives_a_predictor_that_it_pins(
    kind: str, name: str, template: str, found: str
) -> None:
    scaling = {
        "minReplicas": 2, "maxReplicas": 5, "cpuPercent": 55, "requestsPerReplica": 7, "waitingPerReplica": 3,
        "scaleDownSeconds": 420,
    }  # fmt: skip
    pinned = {"enabled": True, "storageUri": "s3://b/m", "adapters": [], "gpus": 0, "scaling": scaling}
    charted = one(
        render(twin(ci("production-gpu"), name, predictor=pinned), template),
        found,
        f"twinstack-{name}-pinned",
    )
    work = {
        "replicas": 2,
        "max_replicas": 5,
        "scaling": {
            "cpu_percent": 55, "requests_per_replica": 7, "waiting_per_replica": 3, "down_seconds": 420,
        },
    }  # fmt: skip
    own = made(release(kind), settings(**{kind: work}))
    assert own["kind"] == found
    assert without_queries(own["spec"]) == without_queries(charted["spec"])


@pytest.mark.parametrize("work", [TWO, ASLEEP], ids=["cpu", "requests"])
@pytest.mark.parametrize("kind", ["classic", "llm"])
def test_the_schema_of_its_kind_takes_it(kind: str, work: dict[str, Any]) -> None:
    if not checker():
        pytest.skip("no ../shared/tools/check_manifests.py here: objects are not checked by schema")
    assert list(checker().findings(made(release(kind), settings(**{kind: work})), KUBERNETES)) == []


def test_its_queries_name_metrics_of_the_table() -> None:
    known = {name for metric in TABLE for name in exposed(metric)} | {"vllm:num_requests_waiting"}
    for trigger in made(release("llm"), settings(llm=TWO))["spec"]["triggers"]:
        assert metrics_in(trigger["metadata"]["query"]) <= known


def test_it_goes_with_its_predictor(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api, classic=TWO).deploy(release(), silent)
    service, scaler = server.get(SERVICES, NAME), server.get(HPAS, NAME)
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"
    assert scaler["metadata"]["ownerReferences"][0]["uid"] == service["metadata"]["uid"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == f"{NAME}-predictor"
    deployer(api).clean("credit", set())
    assert server.names(SERVICES) == server.names(HPAS) == []


def test_another_way_of_scaling_takes_the_place_of_the_one_before(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api, classic=TWO).deploy(release(), silent)
    server.steps = [becomes_ready()]
    deployer(api, classic={**TWO, "scaling": {"by": "requests"}}).deploy(release(), silent)
    assert (server.names(HPAS), server.names(SCALED)) == ([], [NAME])
    assert server.calls.index(("delete", HPAS)) < server.calls.index(("patch", SCALED)), "KEDA refuses two"
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    assert (server.names(HPAS), server.names(SCALED)) == ([], [])
    assert (
        server.get(SERVICES, NAME)["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    )


def test_what_somebody_else_made_by_that_name_stays(api: Api, server: Server) -> None:
    server.put(HPAS, {"kind": "HorizontalPodAutoscaler", "metadata": {"name": NAME}})
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    assert server.names(HPAS) == [NAME]


def test_a_predictor_that_may_sleep_is_held_awake_until_it_is_ready(api: Api, server: Server) -> None:
    seen: list[dict[str, str]] = []

    def looks(one: Server) -> None:
        seen.append(dict(one.get(SCALED, NAME)["metadata"].get("annotations", {})))
        becomes_ready()(one)

    server.steps = [looks]
    deployer(api, classic=ASLEEP).deploy(release(), silent)
    assert seen == [{autoscaling.PAUSED: "1"}]
    scaler = server.get(SCALED, NAME)
    assert autoscaling.PAUSED not in scaler["metadata"].get("annotations", {})
    assert scaler["spec"]["minReplicaCount"] == 0


def test_a_candidate_that_is_not_ready_leaves_nothing_that_scales(api: Api, server: Server) -> None:
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    with pytest.raises(NotReadyError):
        deployer(api, classic=ASLEEP).deploy(release(), silent)
    assert server.names(SERVICES) == server.names(SCALED) == []


def test_a_model_that_answers_is_not_held_awake_after_a_failure(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api, classic=ASLEEP).deploy(release(), silent)
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    with pytest.raises(NotReadyError):
        deployer(api, classic={**ASLEEP, "memory": "3Gi", "memory_limit": "3Gi"}).deploy(
            release(), silent, answering=True
        )
    assert autoscaling.PAUSED not in server.get(SCALED, NAME)["metadata"].get("annotations", {})


def test_without_a_right_to_scale_nothing_is_released(api: Api, server: Server) -> None:
    server.rules = tuple(one for one in server.rules if one.resource != SCALED)
    with pytest.raises(ClusterError, match=r"scaledobjects.*let a Role give"):
        deployer(api, classic=ASLEEP).deploy(release(), silent)
    assert server.names(SERVICES) == []


def test_no_pod_at_all_needs_somebody_who_wakes_the_first() -> None:
    with pytest.raises(ValueError, match=r"replicas 0 needs scaling\.by 'requests'"):
        PredictorWork(replicas=0)
    with pytest.raises(ValueError, match="deployment_mode 'Standard'"):
        Cluster(deployment_mode="Knative", predictors={"llm": ASLEEP})


#: A champion of model version 3 with 40 requests in hand, the front of another twin, and versions that are
#: asked beside the champion (4) or only kept for a rollback (2); and the same twin in another namespace.
SERIES = {
    'twinstack_requests_in_flight{namespace="twinstack",pod="a",route="chat"}': "40x10",
    'twinstack_requests_in_flight{namespace="twinstack",pod="a",route="health"}': "5x10",
    'twinstack_requests_in_flight{namespace="twinstack",pod="b",route="predict_v1"}': "10x10",
    'twinstack_requests_in_flight{namespace="other",pod="c",route="chat"}': "9x10",
    'twinstack_request_total{namespace="twinstack",pod="a",twin="docs",route="chat",code="200"}': "_x8 1 1",
    **{
        f'twinstack_release_info{{namespace="{namespace}",pod="{pod}",twin="{name}",model_version="{version}",'
        f'role="{role}"}}': "1x10"
        for namespace, pod, name, version, role in (
            ("twinstack", "a", "docs", "3", "champion"),
            ("twinstack", "a", "docs", "4", "canary"),
            ("twinstack", "b", "credit", "3", "champion"),
            ("other", "c", "docs", "3", "champion"),
        )
    },
}


@needs("promtool")
@pytest.mark.parametrize(
    ("version", "asked", "in_flight"), [("3", 1, 40), ("4", 1, 16), ("2", None, None)],
    ids=["champion", "canary", "kept for a rollback"],
)  # fmt: skip
def test_prometheus_gives_each_version_what_it_is_asked(
    version: str, asked: int | None, in_flight: int | None, tmp_path: Path
) -> None:
    spec = made(release("llm", version), settings(llm=TWO))["spec"]
    queries = {one["name"]: one["metadata"]["query"] for one in spec["triggers"]}
    cases = [
        {
            "expr": queries[name],
            "eval_time": "9m",
            "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
        }
        for name, value in (("front-asked", asked), ("front-in-flight", in_flight))
    ]
    test = {
        "rule_files": [],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "promql_expr_test": cases,
            }
        ],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
