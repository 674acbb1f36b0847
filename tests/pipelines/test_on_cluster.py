"""What a cluster adds to the pipelines: read from the compiled YAML, and run where it can be run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.shared.config.cluster import Cluster
from components.shared.images import reference
from pipelines.compiler import compile_for_cluster, package_of, version_name
from pipelines.recipes import RECIPES

DIGEST = "sha256:" + "1" * 64
SETTINGS = Cluster.model_validate(
    {
        "namespace": "credit-team",
        "images": {
            "registry": "registry.example.org/ml",
            "digests": {"pipeline": DIGEST},
            "pull_secrets": ["pull"],
        },
        "pools": {
            "gpu": {
                "node_labels": {"twinstack.io/pool": "gpu"},
                "tolerations": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
                "queue": "training",
            }
        },
        "stages": {
            "finetune": {
                "cpu": "4", "cpu_limit": "8", "memory": "16Gi", "memory_limit": "24Gi",
                "gpus": 1, "pool": "gpu", "shared_memory": "8Gi", "timeout_seconds": 7_200,
                "retries": {"count": 3, "wait_seconds": 60, "factor": 2},
            },
            "collect": {"image": "train", "retries": {"count": 0}},
            "gate": {"retries": {"count": 0}},
        },
        "secrets": [
            {"secret": "objects", "key": "id", "variable": "AWS_ACCESS_KEY_ID"},
            {"secret": "models", "key": "read", "variable": "HF_READ", "stages": ["finetune"]},
        ],
        "variables": {"AWS_ENDPOINT_URL": "http://minio.stores:9000"},
        "volumes": [{"claim": "features", "path": "/features", "stages": ["collect"]},
                    {"config_map": "authority", "path": "/etc/authority"}],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> tuple[dict[str, Any], dict[str, Any]]:
    """Pipeline and platform specification of `end_to_end` for kind llm."""
    spec, platform = yaml.safe_load_all(package_of("end_to_end", "llm", SETTINGS))
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def container(spec: dict[str, Any], stage: str) -> dict[str, Any]:
    found: dict[str, Any] = spec["deploymentSpec"]["executors"][f"exec-{stage}"]["container"]
    return found


def task(spec: dict[str, Any], stage: str) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"][stage]
    return found


def test_images_come_by_digest_where_there_is_one_and_by_tag_else() -> None:
    assert (
        reference("pipeline", SETTINGS.images)
        == f"registry.example.org/ml/twinstack/pipeline-python@{DIGEST}"
    )
    tagged = SETTINGS.images.model_copy(update={"tag": "next"})
    assert reference("train", tagged) == "registry.example.org/ml/twinstack/train-python:next"


def test_a_stage_runs_in_the_image_of_its_shell_unless_the_configuration_names_another(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    spec, _ = compiled
    assert container(spec, "validate")["image"] == reference("pipeline", SETTINGS.images)
    assert container(spec, "finetune")["image"] == reference("train", SETTINGS.images)
    assert container(spec, "collect")["image"] == reference("train", SETTINGS.images)


def test_resources_and_accelerators_are_those_of_the_stage(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    spec, _ = compiled
    found = container(spec, "finetune")["resources"]
    assert (found["resourceCpuRequest"], found["resourceCpuLimit"]) == ("4", "8")
    assert (found["resourceMemoryRequest"], found["resourceMemoryLimit"]) == ("16Gi", "24Gi")
    assert found["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert found["accelerator"]["resourceCount"] == "1"
    for name in spec["deploymentSpec"]["executors"]:
        resources = container(spec, name.removeprefix("exec-"))["resources"]
        assert resources["resourceMemoryLimit"], name
        assert resources["resourceCpuRequest"], name


def test_a_pool_brings_its_labels_tolerations_and_queue(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, platform = compiled
    found = platform["exec-finetune"]
    assert found["nodeSelector"]["labels"] == {"twinstack.io/pool": "gpu"}
    assert found["tolerations"] == [{"effect": "NoSchedule", "key": "nvidia.com/gpu", "operator": "Exists"}]
    assert found["podMetadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "training"
    assert found["emptyDirMounts"][0]["mountPath"] == "/dev/shm"
    assert "nodeSelector" not in platform["exec-collect"]


def test_a_stage_that_follows_a_train_job_holds_no_accelerator_and_may_wait_as_long() -> None:
    training = {"nodes": 2, "gpus": 4, "pool": "gpu", "wait_seconds": 90_000}
    settings = Cluster.model_validate({**SETTINGS.model_dump(), "training": training})
    spec, platform = yaml.safe_load_all(package_of("train", "llm", settings))
    assert "accelerator" not in container(spec, "finetune")["resources"]
    found = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-finetune"]
    assert not {"nodeSelector", "tolerations", "emptyDirMounts"} & set(found)
    assert "kueue.x-k8s.io/queue-name" not in found["podMetadata"]["labels"]
    assert found["activeDeadlineSeconds"] == "90000"


def test_accelerators_need_no_pool() -> None:
    alone = Cluster.model_validate({"stages": {"finetune": {"gpus": 1}}})
    spec, platform = yaml.safe_load_all(package_of("train", "llm", alone))
    assert container(spec, "finetune")["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert "nodeSelector" not in executors["exec-finetune"]


def test_retries_wait_longer_each_time_and_leave_time_for_every_try(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    spec, platform = compiled
    # 60 + 120 + 240 seconds of waits, four tries of two hours.
    assert task(spec, "finetune")["retryPolicy"] == {
        "maxRetryCount": 3,
        "backoffDuration": "60s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": f"{420 + 4 * 7_200}s",
    }
    assert "retryPolicy" not in task(spec, "gate")
    assert platform["exec-finetune"]["activeDeadlineSeconds"] == "7200"


def test_stages_skip_by_themselves_and_kfp_does_not_unless_told(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    spec, _ = compiled
    tasks = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert not [name for name, one in tasks.items() if one["cachingOptions"].get("enableCache")]
    told = Cluster.model_validate({"stages": {"evaluate": {"kfp_cache": True}}})
    cached = next(iter(yaml.safe_load_all(package_of("train", "classic", told))))
    assert task(cached, "evaluate")["cachingOptions"] == {"enableCache": True}
    assert task(cached, "gate")["cachingOptions"] == {}


def test_secrets_reach_the_stages_they_are_for_and_no_value_is_written(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, platform = compiled
    by_stage = {
        name.removeprefix("exec-"): {
            pair["envVar"]: one["secretName"] for one in found["secretAsEnv"] for pair in one["keyToEnv"]
        }
        for name, found in platform.items()
    }
    assert by_stage.pop("finetune") == {"AWS_ACCESS_KEY_ID": "objects", "HF_READ": "models"}
    assert all(found == {"AWS_ACCESS_KEY_ID": "objects"} for found in by_stage.values())


def test_every_stage_has_the_variables(compiled: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for executor in compiled[0]["deploymentSpec"]["executors"].values():
        assert {"name": "AWS_ENDPOINT_URL", "value": "http://minio.stores:9000"} in executor["container"][
            "env"
        ]


@pytest.mark.parametrize(("limit", "threads"), [("8", "8"), ("1.5", "2"), ("500m", "1"), ("2500m", "3")])
def test_a_stage_starts_as_many_threads_as_it_has_cores(limit: str, threads: str) -> None:
    settings = Cluster.model_validate({"stages": {"embed": {"cpu_limit": limit}}})
    spec, *_ = yaml.safe_load_all(package_of("features", "llm", settings))
    assert {"name": "OMP_NUM_THREADS", "value": threads} in container(spec, "embed")["env"]


def test_a_variable_of_the_configuration_wins_over_the_number_of_threads() -> None:
    settings = Cluster.model_validate({"variables": {"OMP_NUM_THREADS": "1"}})
    spec, *_ = yaml.safe_load_all(package_of("features", "llm", settings))
    assert container(spec, "embed")["env"] == [{"name": "OMP_NUM_THREADS", "value": "1"}]


def test_a_volume_is_mounted_where_it_is_asked_for(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    mounts = {name: found.get("pvcMount", []) for name, found in compiled[1].items()}
    (mount,) = mounts.pop("exec-collect")
    assert (mount["constant"], mount["mountPath"]) == ("features", "/features")
    assert not any(mounts.values())
    for found in compiled[1].values():
        (mount,) = found["configMapAsVolume"]
        assert (mount["configMapName"], mount["mountPath"]) == ("authority", "/etc/authority")


def test_every_pod_is_a_numbered_user_with_labels_and_may_pull(
    compiled: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    for name, found in compiled[1].items():
        assert found["securityContext"] == {
            "runAsGroup": "65532", "runAsNonRoot": True, "runAsUser": "65532",
        }  # fmt: skip
        assert found["podMetadata"]["labels"]["twinstack.io/stage"] == name.removeprefix("exec-")
        assert found["podMetadata"]["annotations"] == {
            "karpenter.sh/do-not-disrupt": "true",
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        }
        assert [one["secretName"] for one in found["imagePullSecret"]] == ["pull"]


@pytest.mark.parametrize("name", RECIPES)
def test_the_end_is_reported_whatever_happens(name: str) -> None:
    settings = Cluster.model_validate({"kfp": {"ui": "https://kfp.example.org"}})
    spec = next(iter(yaml.safe_load_all(package_of(name, "classic", settings))))
    last = spec["root"]["dag"]["tasks"]["report"]
    assert last["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    assert last["inputs"]["parameters"]["status"]["taskFinalStatus"]["producerTask"] == "exit-handler-1"
    constants = {
        key: one["runtimeValue"]["constant"]
        for key, one in last["inputs"]["parameters"].items()
        if "runtimeValue" in one
    }
    assert constants == {"pipeline": name, "run": "{{$.pipeline_job_uuid}}", "ui": "https://kfp.example.org"}


def test_objects_are_named_by_content_and_hold_what_the_packages_hold(tmp_path: Path) -> None:
    written = compile_for_cluster(tmp_path, SETTINGS)
    listed = yaml.safe_load((tmp_path / "objects/kustomization.yaml").read_text())["resources"]
    assert len(listed) == 2 * len(RECIPES)
    assert len(written) == 2 * len(listed) + 1
    for name in listed:
        package = (tmp_path / "packages" / name).read_text()
        spec, platform = yaml.safe_load_all(package)
        pipeline, version = yaml.safe_load_all((tmp_path / "objects" / name).read_text())
        assert (pipeline["kind"], version["kind"]) == ("Pipeline", "PipelineVersion")
        assert version["metadata"] == {
            "name": f"{pipeline['metadata']['name']}-{version_name(package)}",
            "namespace": "credit-team",
        }
        assert version["spec"]["pipelineName"] == pipeline["metadata"]["name"]
        assert version["spec"]["pipelineSpec"] == spec
        assert version["spec"]["platformSpec"] == platform


def test_other_settings_are_another_version() -> None:
    first, again = (package_of("monitor", "llm", SETTINGS) for _ in range(2))
    other = package_of("monitor", "llm", SETTINGS.model_copy(update={"namespace": "other", "secrets": ()}))
    assert version_name(first) == version_name(again)
    assert version_name(first) != version_name(other)


RUN = """
import sys
from kfp import components, local
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[2], raise_on_error=False)
components.load_component_from_file(sys.argv[1])(config=sys.argv[3], twin=sys.argv[4])
"""


@pytest.mark.parametrize(("twin", "state"), [("docs", "SUCCEEDED"), ("nobody", "FAILED")])
def test_the_report_says_how_a_run_of_the_compiled_pipeline_ended(
    twin: str, state: str, tmp_path: Path
) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/one.md").write_text("# One\nA document.\n")
    config = {
        "root": str(tmp_path),
        "twins": {
            "docs": {
                "kind": "llm", "sources": [{"type": "folder", "path": "corpus"}], "prompt": "prompt.md",
                "questions": {"path": "questions.yaml"}, "gate": {"rules": [{"metric": "answer_f1"}]},
            }
        },
    }  # fmt: skip
    path = tmp_path / "collect.yaml"
    path.write_text(package_of("collect", "llm", SETTINGS))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path), str(tmp_path / "run"), json.dumps(config), twin],
        capture_output=True,
        text=True,
        check=False,
    )
    ended = [json.loads(line.split("::twin::")[1]) for line in done.stdout.splitlines() if "::twin::" in line]
    reports = [event for event in ended if event["event"] == "run"]
    assert [(one["pipeline"], one["twin"], one["state"]) for one in reports] == [("collect", twin, state)], (
        done.stdout[-3000:]
    )
    assert all(one["run"] and "{{" not in one["run"] for one in reports)
