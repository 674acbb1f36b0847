"""Settings of a cluster: closed, bounded, and refused where they contradict each other."""

from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from components.shared.config import Config, dump, load, parse
from components.shared.config.cluster import Cluster
from components.shared.config.names import ImageName, StageName
from components.shared.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
PINNED = dict.fromkeys(get_args(ImageName), "sha256:" + "0" * 64)


def config(folder: Path, cluster: dict[str, object]) -> Config:
    """The project's own configuration with a section `cluster`."""
    values = yaml.safe_load((ROOT / "twinstack.yaml").read_text(encoding="utf-8"))
    path = folder / "twinstack.yaml"
    path.write_text(yaml.safe_dump({**values, "cluster": cluster}), encoding="utf-8")
    return load(path)


def test_every_stage_has_settings_of_its_own() -> None:
    folders = {path.parent.name for path in (ROOT / "components").glob("*/component.py")}
    assert set(get_args(StageName)) == folders


def test_a_stage_that_is_not_named_has_the_defaults() -> None:
    found = Cluster.model_validate({"stages": {"finetune": {"cpu": "4", "cpu_limit": "4"}}})
    assert found.work("finetune").cpu == "4"
    assert found.work("collect") == Cluster().work("gate")


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"stages": {"finetune": {"cpu": "4"}}}, "cpu 4 is above cpu_limit 2"),
        (
            {"stages": {"train": {"memory": "5Gi", "memory_limit": "4096Mi"}}},
            "memory 5Gi is above memory_limit",
        ),
        ({"predictors": {"twins": {"docs": {"cpu": "2001m"}}}}, "cpu 2001m is above cpu_limit 2"),
        ({"training": {"memory": "1Ti"}}, "memory 1Ti is above memory_limit 32Gi"),
    ],
)
def test_a_request_above_its_limit_is_refused_before_a_cluster_does(
    cluster: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Cluster.model_validate(cluster)


@pytest.mark.parametrize(
    ("given", "text"), [("500m", "500m"), (4, "4"), (4.0, "4"), (0.5, "0.5"), ("1.5", "1.5")]
)
def test_cores_are_text_or_a_number(given: object, text: str) -> None:
    assert (
        Cluster.model_validate({"stages": {"train": {"cpu": given, "cpu_limit": 8}}}).work("train").cpu
        == text
    )


@pytest.mark.parametrize(
    ("given", "text"), [("4Gi", "4Gi"), (17_179_869_184, "17179869184"), (1.7179869184e10, "17179869184")]
)
def test_memory_is_text_or_a_number_of_bytes(given: object, text: str) -> None:
    stages = {"train": {"memory": given, "memory_limit": "16Gi"}}
    assert Cluster.model_validate({"stages": stages}).work("train").memory == text


@pytest.mark.parametrize("wrong", [{"memory": 4}, {"memory": "4"}, {"cpu": 0}, {"cpu": True}, {"cpu": 4096}])
def test_an_amount_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Cluster.model_validate({"stages": {"train": wrong}})


def test_production_needs_a_digest_for_every_image(tmp_path: Path) -> None:
    assert config(tmp_path, {"environment": "prod", "images": {"digests": PINNED}})
    lacking = {**PINNED, "serve": ""}
    with pytest.raises(ConfigError, match=r"needs images\.digests\.serve"):
        config(tmp_path, {"environment": "prod", "images": {"digests": lacking}})


def test_a_stage_runs_in_a_declared_pool_only(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"stages\.finetune\.pool 'gpu' is not among pools: none is declared"
    ):
        config(tmp_path, {"stages": {"finetune": {"pool": "gpu"}}})


@pytest.mark.parametrize(
    ("cluster", "named"),
    [
        ({"stages": {"baking": {}}}, "cluster.stages.baking"),
        ({"images": {"digests": {"serve": "latest"}}}, "cluster.images.digests.serve"),
        ({"stages": {"train": {"memory": "lots"}}}, "cluster.stages.train.memory"),
        ({"stages": {"train": {"memory": "4G"}}}, "cluster.stages.train.memory"),
        ({"kfp": {"endpoint": "kfp.example.org"}}, "cluster.kfp.endpoint"),
        ({"kfp": {"token": "abc"}}, "cluster.kfp.token: unknown field"),
        ({"secrets": [{"secret": "s3", "key": "id", "variable": "lower"}]}, "cluster.secrets.0.variable"),
    ],
)
def test_a_wrong_value_is_named(cluster: dict[str, object], named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=named):
        config(tmp_path, cluster)


def test_the_settings_travel_into_a_stage(tmp_path: Path) -> None:
    found = config(tmp_path, {"namespace": "credit", "images": {"digests": PINNED}})
    assert parse(dump(found)).cluster == found.cluster


def test_a_file_laid_over_the_configuration_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    over = tmp_path / "cluster.yaml"
    over.write_text("cluster: {namespace: credit-team}\ntwins: {docs: {training: {steps: 3}}}\n")
    plain, laid = load(ROOT / "twinstack.yaml"), load(ROOT / "twinstack.yaml", [over])
    assert laid.cluster.namespace == "credit-team"
    docs = plain.twins["docs"]
    assert laid.twins["docs"] == docs.model_copy(
        update={"training": docs.training.model_copy(update={"steps": 3})}
    )
    assert laid.twins["credit"] == plain.twins["credit"]
    assert laid.root == plain.root


def test_a_wrong_value_in_a_laid_file_names_that_file(tmp_path: Path) -> None:
    over = tmp_path / "cluster.yaml"
    over.write_text("cluster: {namespace: Team}\n")
    with pytest.raises(ConfigError, match=r"cluster\.namespace is 'Team'.*cluster\.yaml"):
        load(ROOT / "twinstack.yaml", [over])
