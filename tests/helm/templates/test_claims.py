"""Claims that the chart makes for the state of fronts and operations API."""

import pytest

from tests.helm.rendering import Object, ci, files, one, pods, render, twin


def volume(objects: list[Object], owner: str) -> Object:
    (pod,) = [it for it in pods(objects) if it.of.split("/") == owner.split("/")]
    found: Object
    (found,) = [it for it in pod.spec["volumes"] if it["name"] == "state"]
    return found


STORAGE = {"claim": "", "create": True, "accessMode": "ReadWriteOnce", "storageClass": "fast", "size": "3Gi"}


def test_a_claim_is_made_on_demand_outlives_the_release_and_is_mounted() -> None:
    objects = render(twin(ci("minimal", console={"storage": STORAGE}), "credit", storage=STORAGE))
    for name, owner in {
        "twinstack-credit-state": "InferenceService/twinstack-credit",
        "twinstack-console-state": "Deployment/twinstack-console",
    }.items():
        made = one(objects, "PersistentVolumeClaim", name)
        assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert made["spec"] == {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "3Gi"}},
        }
        assert volume(objects, owner)["persistentVolumeClaim"] == {"claimName": name}


def test_the_migration_does_not_wait_for_a_claim_that_is_made_after_it() -> None:
    objects = render(ci("minimal", console={"storage": STORAGE}))
    assert "emptyDir" in volume(objects, "Job/twinstack-migration")


@pytest.mark.parametrize("storage", [{"claim": "mine", "create": True}, {"claim": "mine", "create": False}])
def test_an_existing_claim_is_taken_as_it_is(storage: Object) -> None:
    objects = render(twin(ci("minimal"), "credit", storage=storage))
    assert [it for it in objects if it["kind"] == "PersistentVolumeClaim"] == []
    mounted = volume(objects, "InferenceService/twinstack-credit")
    assert mounted["persistentVolumeClaim"] == {"claimName": "mine"}


@pytest.mark.parametrize("claim", ["", "mine"])
@pytest.mark.parametrize(("mode", "ends_first"), [("ReadWriteOnce", True), ("ReadWriteMany", False)])
def test_pods_of_a_volume_of_one_node_end_before_new_ones_wait_for_it(
    claim: str, mode: str, ends_first: bool
) -> None:
    storage = {**STORAGE, "claim": claim, "accessMode": mode}
    objects = render(twin(ci("minimal", console={"storage": storage}), "credit", storage=storage))
    front = one(objects, "InferenceService", "twinstack-credit")["spec"]["predictor"]
    console = one(objects, "Deployment", "twinstack-console")["spec"]
    recreated = {"type": "Recreate"}
    assert front.get("deploymentStrategy") == (recreated if ends_first else None)
    rolled = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert console["strategy"] == (recreated if ends_first else rolled)


def test_the_notes_warn_of_fronts_that_would_wait_for_a_volume_of_one_node() -> None:
    def warned(mode: str, most: int) -> bool:
        storage, front = {**STORAGE, "accessMode": mode}, {"scaling": {"maxReplicas": most}}
        notes = files(twin(ci("minimal"), "credit", storage=storage, front=front))["NOTES.txt"]
        return f"Twin credit may have {most} fronts on a volume of one node" in notes

    assert warned("ReadWriteOnce", 4)
    assert not warned("ReadWriteOnce", 1)
    assert not warned("ReadWriteMany", 4)


def test_an_empty_volume_is_every_pods_own_and_knative_knows_no_strategy() -> None:
    fleeting = {"storage": {"claim": "", "create": False, "accessMode": "ReadWriteOnce"}}
    objects = render(twin(ci("minimal", console=fleeting), "credit", **fleeting))
    front = one(objects, "InferenceService", "twinstack-credit")["spec"]["predictor"]
    assert "deploymentStrategy" not in front
    assert one(objects, "Deployment", "twinstack-console")["spec"]["strategy"]["type"] == "RollingUpdate"
    knative = twin(ci("air-gapped"), "docs", storage=STORAGE)
    made = one(render(knative, "front.yaml"), "InferenceService", "twinstack-docs")
    assert "deploymentStrategy" not in made["spec"]["predictor"]


def test_a_front_that_is_not_deployed_needs_none() -> None:
    values = twin(ci("minimal"), "credit", storage=STORAGE, front={"enabled": False})
    assert render(values, "claims.yaml") == []
