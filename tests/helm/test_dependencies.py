"""The umbrella chart: how its dependencies are declared. They cannot be fetched here."""

import re

import pytest
import yaml
from helm_python import Chart, dependency_list

from tests.helm.rendering import ROOT, Object, ci

CHART = ROOT / "helm" / "twinstack-dependencies"
DECLARED = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["dependencies"]
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
NAMES = [one["name"] for one in DECLARED]


@pytest.mark.parametrize("one", DECLARED, ids=NAMES)
class TestDependency:
    def test_its_version_is_exact(self, one: Object) -> None:
        assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", one["version"])

    def test_it_comes_from_a_repository_by_a_safe_way(self, one: Object) -> None:
        assert one["repository"].startswith(("https://", "oci://"))

    def test_it_is_off_until_it_is_switched_on(self, one: Object) -> None:
        assert one["condition"] == f"{one['name']}.enabled"
        assert VALUES[one["name"]]["enabled"] is False

    def test_the_readme_says_where_its_version_was_seen(self, one: Object) -> None:
        readme = (CHART / "README.md").read_text(encoding="utf-8")
        assert re.search(rf"^\| {one['name']} \| {re.escape(one['version'])}\b", readme, re.MULTILINE)


def test_every_store_that_the_stack_needs_can_be_had() -> None:
    assert {"milvus", "redis", "mlflow", "minio", "kube-prometheus-stack", "keda"} < set(NAMES)
    assert {"mongodb", "postgres"} & set(NAMES)


def test_values_name_nothing_that_is_not_declared() -> None:
    assert set(VALUES) == set(NAMES)
    for path in (CHART / "ci").glob("*-values.yaml"):
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) <= set(NAMES)


KIND = yaml.safe_load((CHART / "ci" / "kind-values.yaml").read_text(encoding="utf-8"))


def test_every_store_that_the_kind_values_connect_to_is_installed_under_that_name() -> None:
    values = ci("kind")
    named = " ".join([*values["config"]["stores"].values(), *values["environment"].values()])
    hosts = set(re.findall(r"([a-z]+)\.stores\.svc:\d+", named))
    assert hosts == {"postgres", "milvus", "redis", "mlflow", "minio"}
    for host in hosts:
        assert KIND[host]["enabled"] is True
        assert VALUES[host]["fullnameOverride"] == host


def test_mlflow_keeps_what_it_is_told_and_answers_by_the_name_that_pods_call() -> None:
    tracking = ci("kind")["config"]["stores"]["tracking"].removeprefix("http://")
    assert tracking in KIND["mlflow"]["serverAllowedHosts"]
    database = KIND["mlflow"]["backendStore"]["postgres"]
    assert database["host"] == VALUES["postgres"]["fullnameOverride"]
    assert f"CREATE DATABASE {database['database']} " in KIND["postgres"]["initdb"]["scripts"]["mlflow.sql"]
    assert KIND["mlflow"]["artifactRoot"]["s3"]["bucket"] in {one["name"] for one in KIND["minio"]["buckets"]}


def test_no_chart_comes_with_an_administrator_whose_password_is_public() -> None:
    assert VALUES["minio"]["users"] == []


def test_helm_reads_it_and_finds_each_version_valid() -> None:
    with Chart.load(CHART) as chart:
        assert chart.metadata["name"] == "twinstack-dependencies"
        assert chart.templates == []
    found = {one["name"]: one["status"] for one in dependency_list(CHART)}
    assert set(found) == set(NAMES)
    # Not fetched; a version that Helm cannot read would be "invalid version".
    assert set(found.values()) <= {"missing", "ok", "unpacked"}
