"""Values in the documentation are valid, and what its commands name is there."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.checking import findings
from tests.helm.rendering import CHART, CI, PAGES, ROOT, base, ci, merged, render

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[Any]:
    return [
        pytest.param(found[2], id=f"{page.stem}:{page.read_text().count(chr(10), 0, found.start()) + 1}")
        for page in PAGES
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if found[1] == language
    ]


@pytest.mark.parametrize("text", blocks("values"))
def test_values_in_the_documentation_render(text: str) -> None:
    assert render(merged(base(), yaml.safe_load(text)))


@pytest.mark.parametrize("text", blocks("manifest"))
def test_an_api_server_would_take_objects_in_the_documentation(text: str) -> None:
    assert findings(yaml.safe_load(text)) == []


def test_node_groups_of_the_values_and_of_the_documentation_have_one_name() -> None:
    page = (ROOT / "docs/how-to/gpu-pools.md").read_text(encoding="utf-8")
    made = {
        one["metadata"]["name"]
        for language, text in BLOCK.findall(page)
        if language == "manifest" and (one := yaml.safe_load(text))["kind"] == "LocalModelNodeGroup"
    }
    named = {
        group
        for language, text in BLOCK.findall(page)
        if language == "values"
        for twin in yaml.safe_load(text).get("twins", [])
        for group in twin.get("predictor", {}).get("cache", {}).get("nodeGroups", [])
    }
    assert named and named == made


def test_the_configuration_below_config_is_what_the_chart_takes() -> None:
    whole = (ROOT / "twinstack.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load("config:\n" + textwrap.indent(whole, "  "))
    made = render(merged(ci("kind"), written))
    fronts = [one["metadata"]["name"] for one in made if one["kind"] == "InferenceService"]
    assert fronts == ["twinstack-docs", "twinstack-credit"]


def test_commands_name_charts_and_values_files_that_are_there() -> None:
    pages = [*PAGES, ROOT / "README.md", *(ROOT / "helm").rglob("README.md")]
    named = {path for page in pages for path in re.findall(r"\bhelm/twinstack[\w./-]*", page.read_text())}
    assert len(named) >= 4
    assert [path for path in named if not (ROOT / path.rstrip(".")).exists()] == []


def test_the_chart_names_each_values_file() -> None:
    text = (CHART / "README.md").read_text(encoding="utf-8")
    assert [name for name in CI if f"`{name}`" not in text] == []


def test_air_gapped_values_lead_nowhere_else() -> None:
    text = Path(CI["air-gapped"]).read_text(encoding="utf-8")
    made = yaml.safe_dump_all(render(ci("air-gapped")))
    hosts = set(re.findall(r"(?:https?|s3|hf)://([^/\s\"':]+)", text + made))
    assert {host for host in hosts if not host.endswith(".svc")} == {"models", "twinstack"}  # buckets
    images = re.findall(r"image: (\S+)", made)
    assert {image.split("/")[0] for image in images} == {"mirror.internal:5000"}
