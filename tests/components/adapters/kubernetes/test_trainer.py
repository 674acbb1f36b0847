"""TrainJobs: the object, its log, its restarts, its failures; against the stand-in for the API server."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.following import Clock
from components.adapters.kubernetes.permissions import FINETUNE
from components.adapters.kubernetes.train_job import train_job
from components.adapters.kubernetes.trainer import TrainingError, follow, start
from components.shared.config import Config
from components.shared.config.cluster import Cluster
from components.shared.config.nodes import Pool, Toleration
from components.shared.config.stages import SecretVariable, Volume
from components.shared.config.stores import Stores
from components.shared.config.training import Training
from tests.components import llm_fixtures
from tests.components.adapters.kubernetes.stand_in import ROOT, Server, Step, checker
from tests.kubernetes.versions import KUBERNETES

KEY = "0123456789abcdef"
NAME = "finetune-0123456789ab"
JOBS = "trainjobs"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = llm_fixtures.docs(tmp_path / "state", tmp_path)
    gpu = Pool(node_labels={"twinstack.io/pool": "gpu"}, tolerations=(Toleration(key="nvidia.com/gpu"),))
    secrets = (
        SecretVariable(secret="s3", key="id", variable="AWS_ACCESS_KEY_ID"),
        SecretVariable(secret="db", key="password", variable="PGPASSWORD", stages=("collect",)),
    )
    cluster = Cluster(
        pools={"gpu": gpu},
        secrets=secrets,
        variables={"HF_HUB_OFFLINE": "1"},
        training={"nodes": 2, "gpus": 4, "pool": "gpu", "wait_seconds": 60},
    )
    return made.model_copy(update={"cluster": cluster})


def body(config: Config) -> dict[str, Any]:
    return train_job(config, "docs", KEY, ["--twin", "docs"])


def clock() -> Clock:
    return Clock(sleep=lambda _: None, window=1)


def becomes(kind: str, message: str = "") -> Step:
    def step(server: Server) -> None:
        server.status(JOBS, NAME, conditions=[{"type": kind, "status": "True", "message": message}])

    return step


def pod(server: Server, name: str, index: str = "0", **status: Any) -> None:
    labels = {"jobset.sigs.k8s.io/jobset-name": NAME, "batch.kubernetes.io/job-completion-index": index}
    server.put("pods", {"kind": "Pod", "metadata": {"name": name, "labels": labels}, "status": status})


def run(api: Api, config: Config, **training: Any) -> tuple[list[str], list[str]]:
    """Start and follow; the lines of the log, and the reports."""
    lines: list[str] = []
    told: list[str] = []
    start(api, body(config), told.append, clock())
    follow(api, body(config), Training(**training), lines.append, told.append, clock())
    return lines, told


def test_the_schema_of_kubeflow_trainer_takes_job_and_runtime(config: Config) -> None:
    if not (check := checker()):
        pytest.skip("shared/tools/check_manifests.py is not beside this checkout")
    on_volume = config.model_copy(
        update={
            "stores": Stores(artifacts="file:///artifacts"),
            "cluster": config.cluster.model_copy(
                update={
                    "predictors": config.cluster.predictors.model_copy(
                        update={"artifacts_claim": "artifacts"}
                    )
                }
            ),
        }
    )
    folder = ROOT / "manifests/options/distributed-training"
    runtime = yaml.safe_load((folder / "clustertrainingruntime.yaml").read_text())
    for one in (body(config), body(on_volume), runtime):
        assert check.findings(one, KUBERNETES) == []
    patch = body(on_volume)["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]
    pod_spec = patch["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    assert pod_spec["volumes"] == [{"name": "artifacts", "persistentVolumeClaim": {"claimName": "artifacts"}}]
    assert runtime["metadata"]["name"] == Training().runtime
    assert runtime["spec"]["template"]["spec"]["replicatedJobs"][0]["name"] == "node"


def test_the_job_asks_for_what_the_configuration_says(config: Config) -> None:
    trainer = body(config)["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["numProcPerNode"]) == (2, 4)
    assert trainer["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == "4"
    assert trainer["command"] == ["torchrun"]
    assert trainer["args"] == ["-m", "components.finetune.worker", "--twin", "docs"]
    assert trainer["image"].startswith("twinstack/train-python:")
    assert trainer["env"] == [
        {"name": "HF_HUB_OFFLINE", "value": "1"},
        {"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "s3", "key": "id"}}},
    ], "secrets by reference, and only those of stage finetune"
    patch = body(config)["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]
    pod_spec = patch["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    assert pod_spec["nodeSelector"] == {"twinstack.io/pool": "gpu"}
    assert pod_spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


def test_files_that_variables_name_are_mounted_where_the_stage_has_them(config: Config) -> None:
    cluster = config.cluster.model_copy(
        update={
            "volumes": (
                Volume(config_map="internal-ca", path="/etc/authority"),
                Volume(config_map="others", path="/etc/others", stages=("collect",)),
            )
        }
    )
    made = body(config.model_copy(update={"cluster": cluster}))
    patch = made["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]
    pod_spec = patch["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    assert pod_spec["volumes"] == [{"name": "files-0", "configMap": {"name": "internal-ca"}}]
    (container,) = pod_spec["containers"]
    assert container["volumeMounts"] == [{"name": "files-0", "mountPath": "/etc/authority"}]
    if check := checker():
        assert check.findings(made, KUBERNETES) == []


def test_a_job_waits_in_the_queue_of_its_pool(config: Config) -> None:
    assert "kueue.x-k8s.io/queue-name" not in body(config)["metadata"]["labels"]
    pool = config.cluster.pools["gpu"].model_copy(update={"queue": "gpus"})
    queued = config.model_copy(update={"cluster": config.cluster.model_copy(update={"pools": {"gpu": pool}})})
    assert body(queued)["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"


def test_the_log_of_the_first_process_comes_back_once_and_the_job_is_deleted(
    api: Api, server: Server, config: Config
) -> None:
    def step_one(one: Server) -> None:
        pod(one, "p0", phase="Running")
        pod(one, "p1", index="1", phase="Running")
        one.logs = {"p0": ["2026-01-01T00:00:00.1Z step 1"], "p1": ["2026-01-01T00:00:00.1Z not told"]}

    def step_two(one: Server) -> None:
        one.logs["p0"].append("2026-01-01T00:00:00.2Z step 2")
        becomes("Complete")(one)

    server.steps = [step_one, step_two]
    lines, told = run(api, config)
    assert lines == ["step 1", "step 2"]
    assert told == [f"TrainJob {NAME} is applied", "no pod yet", "2 of 2 pods run"]
    assert server.names(JOBS) == []


def test_after_a_pre_emption_the_log_of_the_new_pod_follows(api: Api, server: Server, config: Config) -> None:
    def first(one: Server) -> None:
        pod(one, "p0", phase="Running")
        one.logs = {"p0": ["2026-01-01T00:00:01Z step 1"]}

    def preempted(one: Server) -> None:
        one.objects.pop(("pods", "twinstack", "p0"))
        pod(one, "p0-again", phase="Running")
        one.logs = {"p0-again": ["2026-01-01T00:00:09Z step 2"]}

    server.steps = [first, preempted, becomes("Complete")]
    assert run(api, config)[0] == ["step 1", "step 2"]


def test_a_failure_names_the_pods_reason_and_leaves_the_job(api: Api, server: Server, config: Config) -> None:
    def failing(one: Server) -> None:
        ended = {"exitCode": 1, "reason": "Error", "message": "CUDA out of memory"}
        pod(one, "p0", phase="Failed", containerStatuses=[{"name": "node", "state": {"terminated": ended}}])
        becomes("Failed", "jobset failed after 10 restarts")(one)

    server.steps = [failing]
    with pytest.raises(TrainingError, match=r"failed after 10 restarts.*CUDA out of memory.*last checkpoint"):
        run(api, config)
    assert server.names(JOBS) == [NAME], "for whoever looks into it"


def test_a_failed_job_is_made_anew_and_a_running_one_is_found_again(
    api: Api, server: Server, config: Config
) -> None:
    start(api, body(config), lambda _: None, clock())
    uid = server.get(JOBS, NAME)["metadata"]["uid"]
    told: list[str] = []
    start(api, body(config), told.append, clock())
    assert told == [f"TrainJob {NAME} is there already"]
    becomes("Failed")(server)
    start(api, body(config), told.append, clock())
    assert told[-1] == f"TrainJob {NAME} is applied"
    assert server.get(JOBS, NAME)["metadata"]["uid"] != uid


def test_a_job_in_a_queue_is_waited_for_and_told(api: Api, server: Server, config: Config) -> None:
    server.steps = [becomes("Suspended"), becomes("Complete")]
    assert "suspended, it waits for its queue" in run(api, config)[1]


def test_a_job_without_nodes_is_told_when_the_time_is_up(api: Api, server: Server, config: Config) -> None:
    full = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "no nvidia.com/gpu",
    }
    server.steps = [lambda one: pod(one, "p0", phase="Pending", conditions=[full])]
    times = iter([0.0, 1.0, 2.0, 3.0, 61.0, 62.0, 63.0, 64.0])
    start(api, body(config), lambda _: None, clock())
    late = Clock(now=lambda: next(times), sleep=lambda _: None, window=1)
    with pytest.raises(TrainingError, match=r"not complete after 60 s: .*no nvidia.com/gpu"):
        follow(api, body(config), config.cluster.training, lambda _: None, lambda _: None, late)


def test_a_deleted_job_is_told(api: Api, server: Server, config: Config) -> None:
    server.steps = [lambda one: one.objects.clear()]
    with pytest.raises(TrainingError, match="was deleted"):
        run(api, config)


def test_the_documented_permissions_are_enough_and_none_is_too_many(
    api: Api, server: Server, config: Config
) -> None:
    def running(one: Server) -> None:
        pod(one, "p0", phase="Running")

    server.rules, server.steps = FINETUNE, [running, becomes("Complete")]
    run(api, config)
    assert set(server.calls) == {(verb, one.resource) for one in FINETUNE for verb in one.verbs}


def test_what_is_forbidden_is_told(api: Api, server: Server, config: Config) -> None:
    server.rules = ()
    with pytest.raises(ClusterError, match="let a Role give verb 'get' on 'trainjobs'"):
        run(api, config)


def test_the_arguments_are_json_that_a_worker_reads(config: Config) -> None:
    from components.shared.config import dump, parse

    assert parse(json.loads(json.dumps(dump(config)))).cluster.training.processes == 8
