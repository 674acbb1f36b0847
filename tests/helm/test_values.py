"""Wrong values are refused with the place of the mistake."""

import pytest
from helm_python import Chart

from tests.helm.places import DEFAULTS, changed, leaves, mappings
from tests.helm.rendering import CHART, CI, Object, ci, merged, refused, render

TWINS = ci("production-gpu")["config"]["twins"]
DIGEST = "sha256:" + "0" * 64


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


@pytest.mark.parametrize("path", list(mappings(DEFAULTS)), ids=lambda path: path or "top")
def test_a_key_that_does_not_exist_is_refused_by_name(path: str) -> None:
    said = refused(changed(DEFAULTS, f"{path}.mistyped" if path else "mistyped", True))
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


@pytest.mark.parametrize("path", [path for path, _ in leaves(DEFAULTS)])
def test_a_value_of_another_type_is_refused_with_its_place(path: str) -> None:
    said = refused(changed(DEFAULTS, path, {"a": "mapping"}))
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
        ({"config": {"cluster": {"predictors": {"llm": {"memory": "2" + "0" * 15}}}}}, "memory"),
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
        ({"config": {"serving": {"links": {"networks": ["intranet"]}}}}, "/links/networks/0"),
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
        ({"config": {"cluster": {"pushgateway": "http://u:hidden@b:9091"}}}, "/cluster/pushgateway"),
        ({"config": {"cluster": {"kfp": {"endpoint": "http://u:hidden@b"}}}}, "/cluster/kfp/endpoint"),
        ({"config": {"twins": {"docs": {**TWINS["docs"], "foundation": {"model": "http://u:hidden@b/v1#m"}}}}},
         "/foundation/model"),
    ],
)  # fmt: skip
def test_a_password_in_an_address_is_refused_and_not_repeated(change: Object, place: str) -> None:
    said = refused(merged(DEFAULTS, change))
    assert place in said
    assert "an address without a password; pods get it by `secrets`" in said
    assert "hidden" not in said
