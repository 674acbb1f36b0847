"""What a cluster is given around the chart: rendered by kubectl, checked object by object."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.adapters.kubernetes import restricted
from components.shared.config import Config, load
from components.shared.images import reference
from tests.manifests.rendering import (
    MANIFESTS,
    OPTIONS,
    OVERLAYS,
    ROOT,
    Object,
    accepted,
    built,
    identity,
    objects,
    overlay,
    with_option,
)
from tests.manifests.trained import trained
from tests.trees import texts_of

#: KServe's own object, which deleting an overlay must not delete.
APPLIED_ALONE = {"kserve"}
DIGEST = re.compile(r"[a-z0-9./:-]+@sha256:[0-9a-f]{64}")
EACH = pytest.mark.parametrize("name", OVERLAYS)


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


def pods(found: list[Object]) -> Iterator[Object]:
    """Pod templates, with their labels; those of a runtime with what the TrainJob of stage finetune adds."""
    for one in found:
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]
        elif one["kind"] == "ClusterTrainingRuntime":
            yield trained(one, settings("prod"))
        elif "template" in one["spec"] and one["kind"] in ("Deployment", "Job", "StatefulSet", "DaemonSet"):
            yield one["spec"]["template"]


def settings(name: str) -> Config:
    """The settings beside an overlay."""
    return load(ROOT / "twinstack.yaml", [MANIFESTS / "overlays" / name / "cluster.yaml"])


def workloads(found: list[Object]) -> list[Object]:
    return list(pods([one for one in found if "spec" in one]))


def recurring(found: list[Object]) -> Object:
    """The pod of the recurring program, the only one that the manifests run by themselves."""
    (template,) = workloads(of_kind(found, "CronJob"))
    return template


def test_there_is_a_small_and_a_large_overlay_and_every_option_is_used_in_one_or_applied_alone() -> None:
    assert OVERLAYS == ["dev", "prod"]
    used = yaml.safe_load((MANIFESTS / "overlays/prod/kustomization.yaml").read_text())["components"]
    assert sorted({Path(one).name for one in used} | APPLIED_ALONE) == OPTIONS
    for name in OVERLAYS:
        assert not of_kind(overlay(name), "ClusterStorageContainer")
    for option in OPTIONS:
        kind = yaml.safe_load((MANIFESTS / "options" / option / "kustomization.yaml").read_text())["kind"]
        assert kind == "Component"


def test_an_api_server_would_take_every_object(tmp_path: Path) -> None:
    # In one go: reading the schemas of all custom resources is what takes the time.
    folders = [
        *(MANIFESTS / "overlays" / name for name in OVERLAYS),
        *(MANIFESTS / "options" / name for name in APPLIED_ALONE),
    ]
    accepted({folder.name: built(folder) for folder in folders}, tmp_path)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_goes_with_the_base_alone(option: str, tmp_path: Path) -> None:
    found = objects(with_option(option, tmp_path))
    assert len(found) > len(objects(MANIFESTS / "base"))


class TestWhatFetchesModels:
    def spec(self) -> Object:
        (one,) = objects(MANIFESTS / "options/kserve")
        assert (one["kind"], one["metadata"]["name"]) == ("ClusterStorageContainer", "default")
        return dict(one["spec"])

    def test_is_as_restricted_as_the_predictor_after_it(self) -> None:
        assert self.spec()["container"]["securityContext"] == restricted.container()

    def test_keeps_the_image_and_the_resources_of_kserve(self) -> None:
        # Applied server-side: what is named here is taken away from KServe's own upgrade.
        assert set(self.spec()["container"]) == {"name", "securityContext"}
        assert self.spec()["container"]["name"] == "storage-initializer"

    @pytest.mark.parametrize("uri", ["s3://bucket/model", "gs://bucket/model", "hf://Qwen/Qwen3-8B"])
    def test_fetches_from_where_predictors_are_told_to(self, uri: str) -> None:
        prefixes = tuple(one["prefix"] for one in self.spec()["supportedUriFormats"] if "prefix" in one)
        assert uri.startswith(prefixes)

    def test_fetches_adapters_beside_their_base(self) -> None:
        assert self.spec()["supportsMultiModelDownload"] is True


def policies(found: list[Object]) -> dict[str, Object]:
    """Specifications of network policies by name."""
    return {one["metadata"]["name"]: one["spec"] for one in of_kind(found, "NetworkPolicy")}


def policies_of(name: str, labels: dict[str, str]) -> list[str]:
    """Network policies of an overlay that choose pods with these labels."""
    return [
        one["metadata"]["name"]
        for one in of_kind(overlay(name), "NetworkPolicy")
        if (wanted := one["spec"]["podSelector"].get("matchLabels")) and wanted.items() <= labels.items()
    ]


@EACH
class TestOverlay:
    def test_defines_no_object_twice(self, name: str) -> None:
        names = [identity(one) for one in overlay(name)]
        assert len(names) == len(set(names))

    def test_every_object_lies_in_a_namespace_that_is_made_here(self, name: str) -> None:
        found = overlay(name)
        made = {one["metadata"]["name"] for one in of_kind(found, "Namespace")}
        of_the_cluster = {
            "Namespace", "NodePool", "ResourceFlavor", "ClusterQueue", "ClusterTrainingRuntime",
        }  # fmt: skip
        for one in found:
            if one["kind"] not in of_the_cluster:
                assert one["metadata"]["namespace"] in made, identity(one)

    def test_namespaces_are_restricted_and_have_a_quota_and_defaults(self, name: str) -> None:
        found = overlay(name)
        for space in of_kind(found, "Namespace"):
            labels, own = space["metadata"]["labels"], space["metadata"]["name"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
            for kind in ("ResourceQuota", "LimitRange"):
                assert [one for one in of_kind(found, kind) if one["metadata"]["namespace"] == own], kind

    def test_the_namespace_leaves_kubeflow_s_label_to_kubeflow(self, name: str) -> None:
        # A Profile writes it; SeaweedFS of Kubeflow Pipelines lets in whoever carries it.
        (space,) = [
            one for one in of_kind(overlay(name), "Namespace") if one["metadata"]["name"] == "twinstack"
        ]
        assert "app.kubernetes.io/part-of" not in space["metadata"]["labels"]

    def test_pods_are_restricted_and_bounded(self, name: str) -> None:
        templates = workloads(overlay(name))
        assert templates
        for template in templates:
            pod = template["spec"]
            assert pod["automountServiceAccountToken"] is False
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["runAsUser"] == 65532
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                security = {**pod["securityContext"], **container["securityContext"]}
                assert security["runAsNonRoot"] is True
                assert security["runAsUser"] == 65532
                assert security["seccompProfile"] == {"type": "RuntimeDefault"}
                assert security["allowPrivilegeEscalation"] is False
                assert security["readOnlyRootFilesystem"] is True
                assert security["capabilities"] == {"drop": ["ALL"]}
                for part in ("requests", "limits"):
                    assert {"cpu", "memory"} <= set(container["resources"][part])

    def test_no_rule_has_a_wildcard_and_no_role_is_of_the_cluster(self, name: str) -> None:
        found = overlay(name)
        assert not of_kind(found, "ClusterRole")
        assert not of_kind(found, "ClusterRoleBinding")
        for role in of_kind(found, "Role"):
            for rule in role["rules"]:
                assert not [one for part in rule.values() for one in part if "*" in one], role["metadata"][
                    "name"
                ]
                assert "secrets" not in rule["resources"]

    def test_bindings_and_pods_name_what_is_there(self, name: str) -> None:
        known = {identity(one)[1:] for one in overlay(name)}
        for one in of_kind(overlay(name), "RoleBinding"):
            space = one["metadata"]["namespace"]
            assert (one["roleRef"]["kind"], space, one["roleRef"]["name"]) in known
            for subject in one["subjects"]:
                if subject["kind"] == "ServiceAccount":
                    assert ("ServiceAccount", subject["namespace"], subject["name"]) in known
        charted = settings(name).cluster.service_accounts.serving
        for template in workloads(overlay(name)):
            account = template["spec"]["serviceAccountName"]
            assert account == charted or ("ServiceAccount", "twinstack", account) in known

    def test_with_policies_everything_is_denied_first(self, name: str) -> None:
        nothing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        assert policies(overlay(name))["twinstack-nothing"] == nothing

    def test_the_recurring_program_has_one_way_out_beside_names(self, name: str) -> None:
        template = recurring(overlay(name))
        labels = template["metadata"]["labels"]
        assert policies_of(name, labels) == ["twinstack-recurring"]
        assert "workflows.argoproj.io/workflow" not in labels, "the way of the runs is wider"


def prod() -> Any:
    return settings("prod").cluster


class TestProduction:
    def test_every_image_comes_by_digest(self) -> None:
        found = [image for one in overlay("prod") for image in texts_of("image", one)]
        assert len(found) > 30
        assert not [image for image in found if not DIGEST.fullmatch(image)]

    def test_digests_are_the_same_in_overlay_and_settings(self) -> None:
        found = {image for one in overlay("prod") for image in texts_of("image", one)}
        assert found == {reference("pipeline", prod().images), reference("train", prod().images)}

    def test_every_pod_pulls_with_the_secrets_of_the_settings(self) -> None:
        (account,) = of_kind(overlay("prod"), "ServiceAccount")
        assert tuple(one["name"] for one in account["imagePullSecrets"]) == prod().images.pull_secrets
        template = recurring(overlay("prod"))
        assert template["spec"]["serviceAccountName"] == account["metadata"]["name"]

    def test_every_pipeline_has_one_version_and_belongs_to_the_namespace(self) -> None:
        found = overlay("prod")
        names = {one["metadata"]["name"] for one in of_kind(found, "Pipeline")}
        versions = of_kind(found, "PipelineVersion")
        assert sorted(one["spec"]["pipelineName"] for one in versions) == sorted(names)
        assert len(names) == 12
        assert {one["metadata"]["namespace"] for one in versions} == {prod().namespace}

    def test_a_pool_of_the_configuration_is_a_pool_of_the_cluster(self) -> None:
        found, pool = overlay("prod"), prod().pools["gpu"]
        (nodes,) = of_kind(found, "NodePool")
        own = {"karpenter.sh/nodepool": nodes["metadata"]["name"]}
        assert own.items() <= pool.node_labels.items()
        (flavor,) = of_kind(found, "ResourceFlavor")
        assert flavor["spec"]["nodeLabels"] == pool.node_labels
        tolerated = {(one.key, one.effect) for one in pool.tolerations}
        for taints in (nodes["spec"]["template"]["spec"]["taints"], flavor["spec"]["nodeTaints"]):
            assert {(taint["key"], taint["effect"]) for taint in taints} <= tolerated
        (queue,) = of_kind(found, "LocalQueue")
        assert (queue["metadata"]["name"], queue["metadata"]["namespace"]) == (pool.queue, prod().namespace)
        (whole,) = of_kind(found, "ClusterQueue")
        assert queue["spec"]["clusterQueue"] == whole["metadata"]["name"]
        (group,) = whole["spec"]["resourceGroups"]
        assert pool.accelerator in group["coveredResources"]
        assert group["flavors"][0]["name"] == flavor["metadata"]["name"]

    def test_pods_that_train_together_reach_each_other(self) -> None:
        (runtime,) = of_kind(overlay("prod"), "ClusterTrainingRuntime")
        (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
        labels = job["template"]["spec"]["template"]["metadata"]["labels"]
        assert policies_of("prod", labels) == ["twinstack-training"]
        spec = policies(overlay("prod"))["twinstack-training"]
        together = [{"podSelector": spec["podSelector"]}]
        assert {"from": together} in spec["ingress"] and {"to": together} in spec["egress"]

    def test_runs_reach_the_object_storage_of_kubeflow_pipelines(self) -> None:
        server = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kubeflow"}}}
        out = policies(overlay("prod"))["twinstack-runs"]["egress"]
        (ways,) = [way["ports"] for way in out if way["to"] == [server]]
        # A policy sees the port of the pod, not that of the Service: SeaweedFS listens on 8333.
        assert {8333, 9000} <= {one["port"] for one in ways}

    def test_runs_reach_a_model_behind_a_gateway_by_the_ports_that_the_chart_gives_its_fronts(self) -> None:
        behind = {"namespaceSelector": {"matchLabels": {"twinstack.io/gateway": "true"}}}
        out = policies(overlay("prod"))["twinstack-runs"]["egress"]
        (ways,) = [way["ports"] for way in out if way["to"] == [behind]]
        values = yaml.safe_load((ROOT / "helm/twinstack/values.yaml").read_text(encoding="utf-8"))
        assert [one["port"] for one in ways] == values["networkPolicies"]["gatewayPorts"]
        (space,) = [
            one
            for one in of_kind(overlay("prod"), "Namespace")
            if one["metadata"]["name"] == "twinstack-gateway"
        ]
        assert behind["namespaceSelector"]["matchLabels"].items() <= space["metadata"]["labels"].items()

    def test_patches_of_custom_resources_change_one_number_and_keep_the_lists(self) -> None:
        (whole,) = of_kind(overlay("prod"), "ClusterQueue")
        resources = whole["spec"]["resourceGroups"][0]["flavors"][0]["resources"]
        assert [one["name"] for one in resources] == ["cpu", "memory", "nvidia.com/gpu"]
        assert resources[2]["nominalQuota"] == "16"

    def test_the_namespace_of_the_twins_may_hang_routes_on_the_gateway(self) -> None:
        found = overlay("prod")
        (gateway,) = of_kind(found, "Gateway")
        wanted = gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
        (space,) = [one for one in of_kind(found, "Namespace") if one["metadata"]["name"] == "twinstack"]
        assert wanted.items() <= space["metadata"]["labels"].items()

    def test_what_recurs_is_of_a_twin_that_exists(self) -> None:
        found = settings("prod")
        assert found.cluster.recurring
        assert {one.twin for one in found.cluster.recurring.values()} <= set(found.twins)

    def test_the_token_is_where_the_configuration_looks_for_it(self) -> None:
        template = recurring(overlay("prod"))
        (container,) = template["spec"]["containers"]
        path = Path(prod().kfp.token_file)
        assert str(path.parent) in {mount["mountPath"] for mount in container["volumeMounts"]}
        (token,) = [one for one in template["spec"]["volumes"] if one["name"] == "token"]
        (source,) = token["projected"]["sources"]
        assert source["serviceAccountToken"]["path"] == path.name
        assert source["serviceAccountToken"]["audience"] == "pipelines.kubeflow.org"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_settings_beside_an_overlay_are_valid_and_name_its_namespace(name: str) -> None:
    found = settings(name).cluster
    assert found.environment == name
    assert found.namespace in {
        yaml.safe_load(text)["metadata"]["name"] for text in [(MANIFESTS / "base/namespace.yaml").read_text()]
    }
