"""Every right that a Role grants has a purpose on the page of permissions, and the page names no other."""

from collections.abc import Iterable, Iterator

import pytest
import yaml

from components.adapters.kubernetes.permissions import Rule
from tests.helm.rendering import CI, ci, render
from tests.kubernetes.api_rules import Object
from tests.manifests.rendering import MANIFESTS
from tools.chart.manifest_rights import ROLES
from tools.chart.permissions import SETS, page

#: Group, resource, verb, and the name that it is limited to.
Grant = tuple[str, str, str, str]


def granted(role: Object) -> Iterator[Grant]:
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", [""]):
                        yield group, resource, verb, name


def explained(rights: Iterable[Rule]) -> set[Grant]:
    return {
        (one.group, one.resource, verb, name)
        for one in rights
        for verb in one.verbs
        for name in one.names or ("",)
    }


def roles(objects: Iterable[Object]) -> dict[str, Object]:
    return {one["metadata"]["name"]: one for one in objects if one and one["kind"] in ("Role", "ClusterRole")}


@pytest.mark.parametrize("name", CI)
def test_every_right_of_the_chart_has_a_purpose(name: str) -> None:
    for role in roles(render(ci(name))).values():
        assert set(granted(role)) <= explained(right for rights in SETS.values() for right in rights)


def test_the_roles_of_the_manifests_grant_what_is_explained_and_nothing_else() -> None:
    written = [
        one
        for part in ("base", "options", "overlays")
        for path in sorted((MANIFESTS / part).rglob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if one and "kind" in one
    ]
    assert {name: set(granted(role)) for name, role in roles(written).items()} == {
        name: explained(rights) for name, rights in ROLES.items()
    }


def test_the_page_says_what_each_is_for() -> None:
    text = page()
    for right in [one for rights in [*SETS.values(), *ROLES.values()] for one in rights]:
        assert right.purpose
        assert f"| {', '.join(right.verbs)} | {right.purpose} |" in text
    assert "`twinstack-recurring`" in text
