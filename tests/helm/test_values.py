"""Valid values always render to valid objects; wrong ones are refused with the place of the mistake."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from helm_python import Chart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helm.checking import findings
from tests.helm.rendering import CHART, CI, Object, ci, merged, refused, render

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
TWINS = ci("production-gpu")["config"]["twins"]
DIGEST = "sha256:" + "0" * 64

#: Mappings that hold whatever Kubernetes takes, or names of the user's choice.
OPEN = (
    "commonLabels", "files", "environment", "config.stores", "config.twins", "config.cluster.images.digests",
    "twinDefaults.predictor.nodeSelector", "pods.annotations",
    "pods.nodeSelector", "serviceAccounts.annotations", "monitoring.labels",
    "dashboards.labels", "tests.instances", "requests", "limits",
)  # fmt: skip


def test_the_schema_takes_every_values_file_and_the_defaults() -> None:
    for values in [DEFAULTS, *(ci(name) for name in CI)]:
        with Chart.load(CHART) as chart:
            chart.validate_schema(values)


@pytest.mark.parametrize(
    "limits", [{"cpu": 4}, {"cpu": 0.5, "memory": 17_179_869_184}, {"ephemeral-storage": 9}]
)
def test_amounts_are_numbers_or_texts_and_reach_the_pods_as_texts(limits: Object) -> None:
    values = ci("minimal", twinDefaults={"front": {"resources": {"limits": limits}}})
    with Chart.load(CHART) as chart:
        chart.validate_schema(values)
    (container,) = render(values, "front.yaml")[0]["spec"]["predictor"]["containers"]
    made = container["resources"]["limits"]
    assert {name: float(made[name]) for name in limits} == limits
    assert all(isinstance(amount, str) for amount in made.values())


def _mappings(part: Any, path: str = "") -> Iterator[str]:
    if isinstance(part, dict):
        if not path.endswith(OPEN):
            yield path
        for key, value in part.items():
            yield from _mappings(value, f"{path}.{key}" if path else key)


def _leaves(part: Any, path: str = "") -> Iterator[str]:
    if not isinstance(part, dict):
        yield path
    elif not path.endswith(OPEN):
        for key, value in part.items():
            yield from _leaves(value, f"{path}.{key}" if path else key)


def _with(path: str, value: Any) -> Object:
    """The defaults with one value changed."""
    changed: Object = copy.deepcopy(DEFAULTS)
    *parents, last = path.split(".")
    place = changed
    for name in parents:
        place = place[name]
    place[last] = value
    return changed


@pytest.mark.parametrize("path", list(_mappings(DEFAULTS)), ids=lambda path: path or "top")
def test_a_key_that_does_not_exist_is_refused_by_name(path: str) -> None:
    said = refused(_with(f"{path}.mistyped" if path else "mistyped", True))
    assert "mistyped" in said
    assert "additional properties" in said


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"consol": {}}, "'console'"),
        ({"console": {"replica": 2}}, "'replicas'"),
        ({"config": {"storez": {}}}, "'stores'"),
        ({"config": {"cluster": {"stages": {"embed": {"cpus": "1"}}}}}, "'cpu_limit'"),
        ({"twins": [{"name": "docs", "kind": "llm", "fornt": {}}]}, "'front'"),
        ({"config": {"twins": {"docs": {**TWINS["docs"], "promt": "x"}}}}, "'prompt'"),
    ],
)
def test_the_refusal_of_an_unknown_key_lists_the_keys_that_there_are(change: Object, known: str) -> None:
    assert known in refused(merged(DEFAULTS, change))


@pytest.mark.parametrize("path", list(_leaves(DEFAULTS)))
def test_a_value_of_another_type_is_refused_with_its_place(path: str) -> None:
    said = refused(_with(path, {"a": "mapping"}))
    assert path.replace(".", "/") in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"twins": [{"name": "Docs", "kind": "llm"}]}, "/twins/0/name"),
        ({"fullnameOverride": "with.dots"}, "/fullnameOverride"),
        ({"twins": [{"name": "docs", "kind": "vision"}]}, "'classic', 'llm'"),
        ({"twins": [{"name": "docs"}]}, "missing property 'kind'"),
        ({"twins": [{"name": "docs", "kind": "llm", "front": {"replicas": 2}}]}, "'replicas' not allowed"),
        ({"twinDefaults": {"front": {"scaling": {"cpuPercent": 0}}}}, "cpuPercent"),
        ({"twinDefaults": {"front": {"resources": {"limits": {"memory": "4 GB"}}}}}, "memory"),
        ({"twinDefaults": {"front": {"resources": {"limits": {"memory": 4}}}}}, "memory"),
        ({"twinDefaults": {"front": {"resources": {"limits": {"cpu": 4096}}}}}, "cpu"),
        ({"config": {"cluster": {"predictors": {"llm": {"memory": 4}}}}}, "memory"),
        ({"twinDefaults": {"predictor": {"storageUri": "/mnt/model"}}}, "storageUri"),
        ({"twinDefaults": {"predictor": {"adapters": [{"name": "a"}]}}}, "missing property 'uri'"),
        ({"secrets": [{"name": "s", "for": ["everyone"]}]}, "/secrets/0/for/0"),
        ({"secrets": [{"name": "s", "for": ["front"], "value": "x"}]}, "'value' not allowed"),
        ({"files": {"../outside.py": "x"}}, "files"),
        ({"files": {"/etc/passwd": "x"}}, "files"),
        ({"networkPolicies": {"stores": [{"name": "s", "to": [], "ports": [1]}]}}, "/to"),
        ({"networkPolicies": {"modelPorts": [70_000]}}, "modelPorts"),
        ({"config": {"cluster": {"prometheus": {"address": "prometheus:9090"}}}}, "address"),
        ({"config": {"cluster": {"deployment_mode": "Serverless"}}}, "'Standard', 'Knative'"),
        ({"config": {"cluster": {"images": {"digests": {"serve": "latest"}}}}}, "digests/serve"),
        ({"config": {"cluster": {"images": {"digests": {"server": DIGEST}}}}}, "server"),
        ({"config": {"serving": {"max_instances": 0}}}, "max_instances"),
        ({"config": {"twins": {"docs": {**TWINS["docs"], "top_k": 3}}}}, "'top_k' not allowed"),
        ({"config": {"twins": {"docs": {**TWINS["docs"], "retrieval": {"top_k": 0}}}}}, "top_k"),
        ({"config": {"twins": {"docs": {**TWINS["docs"], "kind": "vision"}}}}, "/config/twins/docs/kind"),
        ({"config": {"twins": {"Docs": TWINS["docs"]}}}, "'Docs' not allowed"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_place(change: Object, said: str) -> None:
    assert said in refused(merged(DEFAULTS, change))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"config": {"stores": {store: address}}}, f"/config/stores/{store}")
        for store, address in {
            "warehouse": "postgresql://u:hidden@host:5432/db",
            "vectors": "http://u:hidden@milvus:19530",
            "features": "feast+s3://b/p?online=redis://:hidden@redis:6379/0",
            "tracking": "https://u:hidden@mlflow",
            "artifacts": "s3://u:hidden@b/p",
        }.items()
    ]
    + [
        ({"config": {"stores": {"warehouse": "mongodb://u:hidden@a,b/db"}}}, "/config/stores/warehouse"),
        ({"environment": {"HTTPS_PROXY": "http://u:hidden@proxy:3128"}}, "/environment/HTTPS_PROXY"),
        ({"config": {"cluster": {"variables": {"A": "http://u:hidden@b"}}}}, "/cluster/variables/A"),
    ],
)  # fmt: skip
def test_a_password_in_an_address_is_refused_and_not_repeated(change: Object, place: str) -> None:
    said = refused(merged(DEFAULTS, change))
    assert place in said
    assert "an address without a password; pods get it by `secrets`" in said
    assert "hidden" not in said


COUNT = st.integers(1, 9)
FLAG = st.booleans()


TEXT = st.text("a:\n#{}'\" \\é1", max_size=9)
ADAPTER = st.sampled_from(["s3://b/tone", "pvc://claim", "pvc://claim/deep/tone"])
CALLERS: st.SearchStrategy[list[Object]] = st.sampled_from([[], [{"podSelector": {}}]])


@st.composite
def scaling(draw: Any, *, zero: bool) -> Object:
    """Bounds in the right order; `zero` where the first pod can be woken."""
    by = draw(st.sampled_from(["cpu", "requests", "none"]))
    least = draw(st.integers(0 if zero and by == "requests" else 1, 3))
    return {
        "by": by,
        "minReplicas": least,
        "maxReplicas": max(1, least) + draw(st.integers(0, 4)),
        "cpuPercent": draw(st.integers(1, 100)),
        "requestsPerReplica": draw(COUNT),
        "waitingPerReplica": draw(COUNT),
        "scaleDownSeconds": draw(st.integers(0, 3_600)),
    }


@st.composite
def predictors(draw: Any, *, kind: str, standard: bool) -> Object:
    """A pinned predictor, or none."""
    found: Object = {
        "enabled": draw(FLAG),
        "storageUri": draw(st.sampled_from(["s3://b/m", "hf://o/m", "pvc://claim/m", "oci://r/m"])),
        "scaling": draw(scaling(zero=True)),
        "startupSeconds": draw(st.integers(1, 86_400)),
        "user": draw(st.integers(1, 70_000)),
    }
    if kind == "llm":
        spans = standard and draw(FLAG)
        cache = draw(FLAG)
        adapters = [] if cache and not spans else draw(st.sampled_from([[], ["tone"], ["tone", "style"]]))
        args = ["--max-model-len=4096", "--dtype=bfloat16", *([] if spans else ['a "b": c'])]
        found |= {
            "engine": "LLMInferenceService" if spans else "InferenceService",
            "gpus": draw(st.integers(0, 8)),
            "adapters": [{"name": name, "uri": draw(ADAPTER)} for name in adapters],
            "args": draw(st.lists(st.sampled_from(args))),
            "cache": {
                "enabled": cache,
                "scope": draw(st.sampled_from(["Namespace", "Cluster"])),
                "nodeGroups": ["g"],
            },
        }
        if spans:
            found["scaling"]["minReplicas"] = max(1, found["scaling"]["minReplicas"])
            found["scaling"]["by"] = draw(st.sampled_from(["", "requests", "none"]))
        elif adapters and found["storageUri"].startswith("oci://"):
            found["storageUri"] = "pvc://claim"
    return found


@st.composite
def valid(draw: Any) -> Object:
    """Values that the schema and the checks of the templates take."""
    mode = draw(st.sampled_from(["Standard", "Knative"]))
    standard = mode == "Standard"
    names = draw(st.lists(st.sampled_from(sorted(TWINS)), unique=True))
    twins = []
    for name in names:
        kind = TWINS[name]["kind"]
        front = {"enabled": draw(FLAG), "scaling": draw(scaling(zero=not standard))}
        twins.append(
            {
                "name": name,
                "kind": kind,
                "front": front,
                "traffic": {"public": draw(FLAG), "concurrency": draw(st.integers(0, 9))},
                "storage": {"claim": draw(st.sampled_from(["", "claim"]))},
                "predictor": draw(predictors(kind=kind, standard=standard)),
            }
        )
    console = draw(FLAG)
    return {
        "config": {
            "cluster": {"deployment_mode": mode, "knative_pod_fields": draw(FLAG)},
            "serving": {"allow_anonymous": True},
            "stores": dict.fromkeys(("warehouse", "vectors", "features", "tracking", "artifacts"), "s3://b/x"),
            "twins": {name: TWINS[name] for name in names},
        },
        "twins": twins,
        "files": draw(st.dictionaries(st.sampled_from(["a.py", "b/c_d.md"]), TEXT)),
        "commonLabels": draw(st.sampled_from([{}, {"team": "ml"}])),
        "environment": draw(st.dictionaries(st.sampled_from(["A", "B_C"]), TEXT)),
        "caBundle": {"configMap": draw(st.sampled_from(["", "ca"]))},
        "console": {"enabled": console, "replicas": draw(st.integers(1, 3))},
        "networkPolicies": {"enabled": draw(FLAG), "callers": draw(CALLERS)},
        "priorityClasses": {"create": draw(FLAG)},
        "rbac": {"create": draw(FLAG), "trainer": draw(FLAG), "workflow": draw(FLAG), "kfpRuns": draw(FLAG)},
        "serviceAccounts": {"create": draw(FLAG)},
        "monitoring": {
            "labels": draw(st.sampled_from([{}, {"release": "kps"}])),
            "podMonitors": {"enabled": draw(FLAG)},
            "rules": {"enabled": draw(FLAG)},
            "alertmanager": {"enabled": console and draw(FLAG), "keySecret": "key"},
        },
        "migration": {"enabled": draw(FLAG)},
        "tests": {"enabled": draw(FLAG)},
    }  # fmt: skip


@given(values=valid())
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_valid_values_render_to_valid_objects(values: Object) -> None:
    objects = render(values)
    assert [(made["kind"], found) for made in objects for found in findings(made)] == []


@given(values=valid(), path=st.sampled_from(sorted(_leaves(DEFAULTS))))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_valid_values_with_one_mistake_are_refused(values: Object, path: str) -> None:
    mistake: Any = {"a": "mapping"}
    for name in reversed(path.split(".")):
        mistake = {name: mistake}
    refused(merged(values, mistake))
