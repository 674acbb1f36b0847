"""Every Secret and ConfigMap that an object names is made here, or somebody is told to make it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.shared.config import load
from tests.helm.rendering import CI, NAMESPACE, ROOT, ci, render
from tests.kubernetes.api_rules import Object
from tests.manifests.rendering import MANIFESTS, OVERLAYS, overlay

#: Fields that hold a reference with a name, or a list of them.
NAMING = ("secretKeyRef", "secretRef", "credentials", "secrets", "imagePullSecrets", "certificateRefs")


def secrets_in(tree: Any) -> Iterator[str]:
    """Names of the Secrets that fields at any depth refer to."""
    if isinstance(tree, list):
        for one in tree:
            yield from secrets_in(one)
    elif isinstance(tree, dict):
        for field, value in tree.items():
            if field in ("secretName", "imagePullSecret") and isinstance(value, str):
                yield value
            elif field in NAMING:
                yield from (one["name"] for one in (value if isinstance(value, list) else [value]))
            else:
                yield from secrets_in(value)


def config_maps_in(tree: Any) -> Iterator[str]:
    """Names of the ConfigMaps that volumes at any depth refer to."""
    if isinstance(tree, list):
        for one in tree:
            yield from config_maps_in(one)
    elif isinstance(tree, dict):
        for field, value in tree.items():
            if field == "configMap" and "name" in value:
                yield value["name"]
            else:
                yield from config_maps_in(value)


def named_by(values: Object) -> set[str]:
    """Secrets that values of the chart name: whoever writes them makes those."""
    found = {one["name"] for one in values.get("secrets", [])}
    found |= set(values["config"].get("cluster", {}).get("images", {}).get("pull_secrets", []))
    found |= set(values.get("serviceAccounts", {}).get("storageSecrets", []))
    return found | {values.get("monitoring", {}).get("alertmanager", {}).get("keySecret", "")} - {""}


def made_in(objects: list[Object]) -> set[str]:
    """Secrets that External Secrets makes."""
    return {one["metadata"]["name"] for one in objects if one["kind"] == "ExternalSecret"}


@pytest.mark.parametrize("name", CI)
def test_every_secret_of_the_chart_is_one_that_the_values_name(name: str) -> None:
    values, objects = ci(name), render(ci(name))
    assert set(secrets_in(objects)) - made_in(objects) <= named_by(values)


def test_every_secret_that_the_values_name_is_used() -> None:
    """Else people would make it for nothing; it also shows that the walk sees every field."""
    values = ci("production-gpu")
    assert set(secrets_in(render(values))) >= named_by(values)


def documented() -> str:
    """What people read before they apply the manifests."""
    pages = [*(ROOT / "docs").rglob("*.md"), MANIFESTS / "README.md"]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_secret_of_the_manifests_is_in_the_settings_beside_them_or_documented(name: str) -> None:
    cluster = load(ROOT / "twinstack.yaml", [MANIFESTS / "overlays" / name / "cluster.yaml"]).cluster
    known = {one.secret for one in cluster.secrets} | set(cluster.images.pull_secrets)
    asked = set(secrets_in(overlay(name)))
    assert asked
    assert asked - known <= set(re.findall(r"[a-z0-9-]+", documented()))


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_config_map_of_the_manifests_is_one_that_the_chart_makes(name: str) -> None:
    made = {
        one["metadata"]["name"]
        for one in render(ci("production-gpu"), namespace=NAMESPACE)
        if one["kind"] == "ConfigMap"
    }
    asked = set(config_maps_in(overlay(name)))
    assert asked
    assert asked <= made
