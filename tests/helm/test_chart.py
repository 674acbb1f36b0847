"""The chart as a whole: lint, rendering of every values file, derived files, what Helm says of it."""

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from helm_python import Config as Helm
from helm_python import HelmError, lint

from components.shared.config.cluster import Cluster
from components.shared.config.root import Config
from components.shared.config.stores import Stores
from tests.helm.checking import findings
from tests.helm.rendering import CHART, CI, NAMESPACE, TEMPLATES, ci, files, render
from tests.kubernetes.versions import KUBERNETES


@pytest.mark.parametrize("name", CI)
def test_lint_has_nothing_to_say(name: str) -> None:
    report = lint(str(CHART), ci(name), strict=True, namespace=NAMESPACE, kube_version=f"v{KUBERNETES}.0")
    assert report["errors"] == []
    assert [one for one in report["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("name", [*CI, "nothing"])
def test_every_object_is_what_an_api_server_takes(name: str) -> None:
    objects = render(ci(name) if name in CI else {})
    assert objects
    found = {
        f"{made['kind']}/{made['metadata']['name']}: {path}: {message}"
        for made in objects
        for path, message in findings(made)
    }
    assert found == set()


@pytest.mark.parametrize("name", CI)
def test_no_two_objects_share_a_name(name: str) -> None:
    names = [(made["apiVersion"], made["kind"], made["metadata"]["name"]) for made in render(ci(name))]
    assert len(names) == len(set(names))


def test_every_value_is_described() -> None:
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"^ *[A-Za-z_]+:", line)]
    # Within flow mappings and plain nested Kubernetes objects there is nothing to describe.
    plain = ("requests:", "limits:", "podSelector:")
    bare = [
        lines[number].strip()
        for number in keys
        if not lines[number - 1].strip().startswith("#") and not lines[number].strip().startswith(plain)
    ]
    assert bare == []


def test_defaults_of_the_configuration_are_its_own() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    given = values["config"]["cluster"]
    assert Cluster(**given) == Cluster()
    assert set(values["config"]) <= set(Config.model_fields)
    named = re.search(r'range \$store := list ((?:"[a-z]+" ?)+)', (TEMPLATES / "_checks.tpl").read_text())
    assert named is not None
    assert set(re.findall(r"[a-z]+", named[1])) == set(Stores.model_fields)


def test_the_chart_installs_images_of_its_own_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == version("twinstack")


def _installed(chart: Path) -> str:
    """What Helm would install; unlike a rendering, this heeds `kubeVersion`."""
    helm = Helm(namespace=NAMESPACE, storage_driver="memory")
    return str(helm.install(str(chart), "twinstack", ci("minimal"), dry_run="client")["manifest"])


def test_helm_installs_it_and_refuses_a_kubernetes_that_is_too_old(tmp_path: Path) -> None:
    assert "kind: InferenceService" in _installed(CHART)
    demanding = shutil.copytree(CHART, tmp_path / "twinstack")
    text = (demanding / "Chart.yaml").read_text(encoding="utf-8")
    (demanding / "Chart.yaml").write_text(text.replace(">=1.30.0-0", ">=1.99.0-0"), encoding="utf-8")
    with pytest.raises(HelmError, match=r"1\.99\.0"):
        _installed(demanding)


def test_the_notes_name_the_next_three_commands() -> None:
    def first_words(name: str) -> list[str]:
        return [line.split()[0] for line in notes(name).splitlines() if line.startswith("  ")]

    def notes(name: str) -> str:
        return files(ci(name))["NOTES.txt"]

    assert first_words("minimal") == ["kubectl", "twin", "kubectl"]
    assert "--endpoint http://127.0.0.1:8888" in notes("minimal")
    # The operations API reaches the server and has the configuration, wherever the person sits.
    assert first_words("kind") == ["kubectl", "kubectl", "helm"]
    (console,) = [one for one in render(ci("kind")) if one["kind"] == "Deployment"]
    assert f"deployment/{console['metadata']['name']} -- python -m pipelines.cli submit" in notes("kind")
    assert "no twin" in files({})["NOTES.txt"]


def test_the_notes_name_a_twin_that_scales_on_numbers_which_nobody_scrapes() -> None:
    said = "Twin docs scales on requests"
    blind = ci("production-gpu", monitoring={"podMonitors": {"enabled": False}})
    assert said in files(blind)["NOTES.txt"]
    assert said not in files(ci("production-gpu"))["NOTES.txt"]
    # Knative counts for itself.
    assert said not in files(ci("air-gapped"))["NOTES.txt"]


@pytest.mark.parametrize("name", CI)
def test_the_tests_of_every_values_file_have_the_key_that_they_need(name: str) -> None:
    said = "`helm test` has no API key"
    assert said not in files(ci(name))["NOTES.txt"]
    assert said in files(ci("production-gpu", secrets=[]))["NOTES.txt"]


def test_every_template_has_a_test_of_its_name() -> None:
    tested = {
        path.stem.removeprefix("test_") for path in (Path(__file__).parent / "templates").glob("test_*.py")
    }
    templates = {
        path.relative_to(TEMPLATES).with_suffix("").as_posix().replace("/", "_").replace("-", "_")
        for path in TEMPLATES.rglob("*.yaml")
    }
    assert tested == templates
