"""Two installations on one cluster, and a twin that leaves one: nothing is shared, nothing stays behind."""

import pytest

from tests.helm.rendering import Object, ci, render, twin

#: Kinds of the chart that are cluster-wide.
WIDE = ("PriorityClass", "LocalModelCache")

#: What every LLMInferenceService of an installation shares: it goes with the last one.
SHARED = "-llm-scheduler"


def installed(namespace: str) -> list[Object]:
    """An installation that makes every cluster-wide object."""
    values = ci("production-gpu", config={"cluster": {"namespace": namespace}})
    cached = {"enabled": True, "scope": "Cluster", "nodeGroups": ["gpu"], "modelSize": "70Gi"}
    return render(twin(values, "support", predictor={"cache": cached}), namespace=namespace)


def names(objects: list[Object]) -> set[tuple[str, str]]:
    return {(it["kind"], it["metadata"]["name"]) for it in objects}


def test_cluster_wide_objects_of_two_namespaces_have_names_of_their_own() -> None:
    here, there = ({one for one in names(installed(name)) if one[0] in WIDE} for name in ("one", "two"))
    assert {kind for kind, _ in here} == set(WIDE)
    assert not here & there


@pytest.mark.parametrize("name", ["docs", "support", "credit"])
def test_a_twin_that_leaves_takes_its_objects_with_it_and_no_others(name: str) -> None:
    values = ci("production-gpu")
    before = render(values)
    after = render({**values, "twins": [one for one in values["twins"] if one["name"] != name]})
    gone = names(before) - names(after)
    assert names(after) < names(before)
    own = [one for _, one in gone if not one.endswith(SHARED)]
    assert all(f"-{name}" in one for one in own), "only what is named after the twin"
    assert not [one for _, one in names(after) if f"-{name}" in one], "Helm deletes all that the twin had"
    kept = [it for it in before if it["metadata"].get("annotations", {}).get("helm.sh/resource-policy")]
    assert {it["kind"] for it in kept} == {"PersistentVolumeClaim"}, "what outlives it is in the how-to"
