"""Chart and manifests define different objects that fit: see docs/explanation/chart-and-manifests.md."""

import json
from pathlib import Path

import pytest
import yaml

from components.shared.config import load, parse
from tests.helm.rendering import ci, render
from tests.manifests.rendering import OVERLAYS, ROOT, identity, overlay

CHART = ROOT / "helm" / "twinstack"
VALUES = sorted(CHART.glob("ci/*-values.yaml"))


@pytest.mark.skipif(not VALUES, reason="helm/twinstack has no values files")
@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_no_object_of_the_chart_is_in_an_overlay(values: Path) -> None:
    from helm_python import Chart

    with Chart.load(CHART) as chart:
        rendered = chart.render(
            yaml.safe_load(values.read_text(encoding="utf-8")), name="twinstack", namespace="twinstack"
        )
    made = {
        identity(one, "twinstack")
        for path, text in rendered.items()
        if path.endswith(".yaml")
        for one in yaml.safe_load_all(text)
        if one
    }
    assert made
    for name in OVERLAYS:
        assert not made & {identity(one) for one in overlay(name)}, name


@pytest.mark.skipif(not VALUES, reason="helm/twinstack has no values files")
def test_the_configuration_that_the_recurring_program_reads_is_the_chart_s() -> None:
    from helm_python import Chart

    with Chart.load(CHART) as chart:
        values = yaml.safe_load(VALUES[0].read_text(encoding="utf-8"))
        rendered = chart.render(values, name="twinstack", namespace="twinstack")
    maps = [
        one
        for text in rendered.values()
        if "kind: ConfigMap" in text
        for one in yaml.safe_load_all(text)
        if one and one["kind"] == "ConfigMap" and "twinstack.yaml" in one.get("data", {})
    ]
    (program,) = [one for one in overlay("dev") if one["kind"] == "CronJob"]
    pod = program["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (named,) = [one["configMap"]["name"] for one in pod["volumes"] if "configMap" in one]
    assert named in {one["metadata"]["name"] for one in maps}


def test_production_values_and_the_overlay_s_settings_are_one_configuration() -> None:
    settings = yaml.safe_load((ROOT / "manifests/overlays/prod/cluster.yaml").read_text(encoding="utf-8"))
    objects = render(ci("production-gpu", config=settings))
    (text,) = [one["data"]["twinstack.yaml"] for one in objects if one["metadata"]["name"] == "twinstack"
               and one["kind"] == "ConfigMap"]  # fmt: skip
    rendered = parse(json.dumps(yaml.safe_load(text))).cluster
    compiled = load(ROOT / "twinstack.yaml", [ROOT / "manifests/overlays/prod/cluster.yaml"]).cluster
    # What the recurring program submits is what manifests/pipelines was compiled from.
    for name in ("stages", "pools", "recurring", "secrets", "images", "namespace", "kfp"):
        assert getattr(rendered, name) == getattr(compiled, name), name
    made = {
        (one["metadata"]["name"], entry["secretKey"])
        for one in objects
        if one["kind"] == "ExternalSecret"
        for entry in one["spec"]["data"]
    }
    assert {(one.secret, one.key) for one in compiled.secrets} <= made
