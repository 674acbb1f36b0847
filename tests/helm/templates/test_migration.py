"""The job after an installation and before an upgrade."""

from tests.helm.rendering import ci, one, render

OBJECTS = render(ci("minimal"), "migration.yaml")


def test_it_runs_before_anything_is_replaced_with_the_new_configuration() -> None:
    job = one(OBJECTS, "Job", "twinstack-migration")
    config = one(OBJECTS, "ConfigMap", "twinstack-migration")
    weights = [int(it["metadata"]["annotations"]["helm.sh/hook-weight"]) for it in (config, job)]
    assert weights == sorted(weights)
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-install,pre-upgrade", (
        "before an installation there are no ExternalSecrets and no network policies"
    )
    (of_release,) = render(ci("minimal"), "config.yaml")
    assert config["data"] == of_release["data"]


def test_it_runs_a_module_that_is_there() -> None:
    from importlib.util import find_spec

    (container,) = one(OBJECTS, "Job", "twinstack-migration")["spec"]["template"]["spec"]["containers"]
    assert find_spec(container["command"][-1])


def test_it_ends() -> None:
    spec = one(OBJECTS, "Job", "twinstack-migration")["spec"]
    assert spec["activeDeadlineSeconds"] == 600
    assert spec["backoffLimit"] == 2


def test_a_store_that_an_upgrade_is_the_first_to_name_is_in_its_reach() -> None:
    values = ci("production-gpu")
    made = render(values, "migration.yaml")
    policy, job = one(made, "NetworkPolicy", "twinstack-migration"), one(made, "Job", "twinstack-migration")
    assert policy["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    weights = [int(it["metadata"]["annotations"]["helm.sh/hook-weight"]) for it in (policy, job)]
    assert weights[0] < weights[1]
    wanted = policy["spec"]["podSelector"]["matchLabels"]
    assert wanted.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    stores = [
        rule
        for it in render(values, "network-policies.yaml")
        if "-store-" in it["metadata"]["name"] or it["metadata"]["name"].endswith("-dns")
        for rule in it["spec"]["egress"]
    ]
    assert len(stores) == 1 + len(values["networkPolicies"]["stores"])
    assert policy["spec"]["egress"] == stores


def test_a_secret_that_an_upgrade_is_the_first_to_bring_is_there_for_it() -> None:
    values = ci("production-gpu")
    made = render(values, "migration.yaml")
    own = one(made, "ExternalSecret", "twinstack-migration-twinstack-stores")
    (of_release,) = render(values, "external-secrets.yaml")
    assert own["metadata"]["annotations"]["helm.sh/hook"] == "post-install,pre-upgrade"
    assert own["spec"]["data"] == of_release["spec"]["data"]
    job = one(made, "Job", "twinstack-migration")
    weights = [int(it["metadata"]["annotations"]["helm.sh/hook-weight"]) for it in (own, job)]
    assert weights == sorted(set(weights))
    spec = job["spec"]["template"]["spec"]
    named = {
        it["valueFrom"]["secretKeyRef"]["name"] for it in spec["containers"][0]["env"] if "valueFrom" in it
    }
    assert named == {own["spec"]["target"]["name"]}, "and not the one of the release, which may not be there"
    mounted = {it["secret"]["secretName"] for it in spec["volumes"] if "secret" in it}
    assert mounted == {"twinstack-keys"}, "one that a person made is taken as it is"


def test_it_brings_no_secret_that_it_does_not_get() -> None:
    values = ci("production-gpu")
    values["secrets"][0]["for"] = ["front", "console"]
    made = render(values, "migration.yaml")
    assert [it for it in made if it["kind"] == "ExternalSecret"] == []


def test_without_network_policies_it_brings_none() -> None:
    made = render(ci("minimal", networkPolicies={"enabled": False}), "migration.yaml")
    assert {it["kind"] for it in made} == {"ConfigMap", "Job"}


def test_it_can_be_left_out() -> None:
    assert render(ci("minimal", migration={"enabled": False}), "migration.yaml") == []
