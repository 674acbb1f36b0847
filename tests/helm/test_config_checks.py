"""What `Config` refuses of the configuration, the chart refuses before anything is installed."""

from typing import Any, get_args

import pytest
from helm_python import HelmError
from pydantic import BaseModel, ValidationError

from components.shared.config import Config
from tests.helm.rendering import Object, ci, merged, refused, render

BASE = ci("kind", config=merged(ci("kind")["config"], {"profile": "cluster"}), monitoring={})
GPU = {"gpu": {"node_labels": {"a": "b"}}}
TAINT = {"key": "a", "value": "b"}
ZERO = {"replicas": 0, "max_replicas": 2}
WOKEN = {**ZERO, "scaling": {"by": "requests"}}


def _cluster(**cluster: Any) -> Object:
    return {"cluster": cluster}


def _predictors(**predictors: Any) -> Object:
    return _cluster(predictors=predictors)


def _table(**table: Any) -> Object:
    return {"twins": {"credit": {"table": table}}}


def _label(positive: str, **column: Any) -> Object:
    return _table(positive=positive, columns={"creditability": {"allowed": [], **column}})


#: Changes of `config`, and what is said of them.
WRONG: list[tuple[Object, str]] = [
    (_cluster(stages={"embed": {"pool": "nope"}}), "stages.embed.pool: nope is not among config.cluster"),
    (_cluster(pools=GPU, stages={"embed": {"pool": "cpu"}}), "declare it there, or name one of: gpu"),
    (_cluster(training={"pool": "nope"}), "config.cluster.training.pool: nope"),
    (_predictors(classic={"pool": "nope"}), "config.cluster.predictors.classic.pool: nope"),
    (_predictors(llm={"pool": "nope"}), "config.cluster.predictors.llm.pool: nope"),
    (_predictors(twins={"credit": {"pool": "nope"}}), "config.cluster.predictors.twins.credit.pool: nope"),
    (_predictors(classic={"replicas": 3, "max_replicas": 2}), "max_replicas: 2 is less than replicas 3"),
    (_predictors(llm={"replicas": 2}), "predictors.llm.max_replicas: 1 is less than replicas 2; raise it"),
    (_predictors(twins={"docs": {"replicas": 2}}), "predictors.twins.docs.max_replicas: 1"),
    (_predictors(llm=ZERO), "predictors.llm.replicas: 0 needs scaling.by requests"),
    (_cluster(deployment_mode="Knative", predictors={"llm": WOKEN}), "0 needs deployment_mode Standard"),
    (_cluster(stages={"train": {"memory": "8Gi", "memory_limit": "4Gi"}}), "memory: 8Gi is above"),
    (_cluster(stages={"train": {"cpu": "2001m"}}), "stages.train.cpu: 2001m is above cpu_limit 2; lower it"),
    (_cluster(stages={"train": {"memory": "5Gi"}}), "memory: 5Gi is above memory_limit 4Gi"),
    (_cluster(stages={"train": {"cpu_limit": 0.4}}), "cpu: 500m is above cpu_limit 0.4"),
    (_cluster(stages={"train": {"memory_limit": "1Gi"}}), "memory: 2Gi is above memory_limit 1Gi"),
    (_predictors(llm={"cpu": 3}), "predictors.llm.cpu: 3 is above cpu_limit 2"),
    (_predictors(llm={"memory": "3Gi"}), "predictors.llm.memory: 3Gi is above memory_limit 2Gi"),
    (_predictors(classic={"cpu_limit": "400m"}), "cpu: 500m is above cpu_limit 400m"),
    (_predictors(classic={"memory_limit": 1_000_000_000}), "memory: 1Gi is above memory_limit 1e+09"),
    (_cluster(training={"cpu": "9"}), "training.cpu: 9 is above cpu_limit 8"),
    (_cluster(training={"cpu_limit": "3"}), "training.cpu: 4 is above cpu_limit 3"),
    (_cluster(training={"memory": "33Gi"}), "training.memory: 33Gi is above memory_limit 32Gi"),
    (_cluster(training={"memory_limit": "15Gi"}), "training.memory: 16Gi is above memory_limit 15Gi"),
    (_cluster(pools={"gpu": {**GPU["gpu"], "tolerations": [TAINT]}}), "pools.gpu.tolerations[0].value"),
    (_cluster(volumes=[{"path": "/a"}]), "volumes[0]: /a is either a claim or a config_map"),
    (_cluster(volumes=[{"path": "/a", "claim": "a", "config_map": "b"}]), "name one of both"),
    (_cluster(environment="prod"), "digests.pipeline: environment prod needs the digest"),
    ({"stores": {"warehouse": ""}}, "config.stores.warehouse: profile cluster needs a URI"),
    ({"serving": {"deadline_seconds": 45}}, "give_up_seconds: 45 is not below serving.deadline_seconds 45"),
    ({"serving": {"breaker": {"give_up_seconds": 130}}}, "serving.breaker.give_up_seconds: 130"),
    (_table(label="nope"), "config.twins.credit.table.label: nope is not among columns"),
    (_table(columns={"creditability": {"optional": True}}), "columns.creditability.optional"),
    (_table(positive="ugly"), "table.positive: ugly is no value of the label; name one of: good, bad"),
    (_label("bad", type="integer"), "table.positive: bad is not of type integer"),
    ({"twins": {"docs": {"chunking": {"max_tokens": 47}}}}, "overlap_tokens: 24 is more than half of"),
    ({"twins": {"docs": {"chunking": {"overlap_tokens": 97}}}}, "is more than half of max_tokens 192"),
]  # fmt: skip

#: What only the chart can say, because it alone has both halves, or because a name was mistyped.
UNKNOWN: list[tuple[Object, str]] = [
    (
        _cluster(recurring={"nightly": {"pipeline": "train", "twin": "dosc", "cron": "0 3 * * *"}}),
        "config.cluster.recurring.nightly.twin: no twin dosc in config.twins; name one of: credit, docs",
    ),
    (_predictors(twins={"dosc": {}}), "config.cluster.predictors.twins.dosc: no twin dosc"),
]

#: Changes that both take.
RIGHT: list[Object] = [
    _cluster(pools=GPU, stages={"embed": {"pool": "gpu"}}, training={"pool": "gpu"}),
    _predictors(llm=WOKEN, classic={"cpu": 2, "max_replicas": 3}, twins={"docs": {"memory": 2_000_000_000}}),
    _cluster(deployment_mode="Knative", predictors={"llm": {"replicas": 1}}),
    _cluster(pools={"gpu": {**GPU["gpu"], "tolerations": [{**TAINT, "operator": "Equal"}]}}),
    _cluster(volumes=[{"path": "/a", "claim": "a"}, {"path": "/b", "config_map": "b"}]),
    _cluster(recurring={"nightly": {"pipeline": "train", "twin": "docs", "cron": "0 3 * * *"}}),
    {
        "serving": {
            "links": {"networks": ["10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.1.2.3", "fd00::/8", "::/0", "::1"]}
        }
    },
    {"serving": {"deadline_seconds": 40.5, "breaker": {"give_up_seconds": 40}}},
    _label("1", type="integer"),
    _label("-1.5e3", type="number"),
    _label("anything"),
    {"twins": {"docs": {"chunking": {"max_tokens": 48}}}},
]


def _said(change: Object) -> str:
    with pytest.raises(HelmError) as found:
        render(merged(BASE, {"config": change}), "config.yaml")
    return str(found.value)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("change", "said"), WRONG, ids=_name)
def test_what_the_configuration_refuses_the_chart_refuses_with_field_value_and_remedy(
    change: Object, said: str
) -> None:
    with pytest.raises(ValidationError):
        Config(**merged(BASE["config"], change))
    assert said in _said(change)


@pytest.mark.parametrize(("change", "said"), UNKNOWN, ids=_name)
def test_a_twin_that_is_not_there_is_refused_where_it_is_named(change: Object, said: str) -> None:
    assert said in _said(change)


@pytest.mark.parametrize("change", RIGHT)
def test_what_the_configuration_takes_the_chart_takes(change: Object) -> None:
    Config(**merged(BASE["config"], change))
    assert render(merged(BASE, {"config": change}), "config.yaml")


@pytest.mark.parametrize("where", ["pods", "twinDefaults.predictor"])
@pytest.mark.parametrize(
    ("affinity", "said"),
    [
        ({"nodeAffinty": {}}, "'nodeAffinity', 'podAffinity', 'podAntiAffinity'"),
        ({"nodeAffinity": {"required": {}}}, "'required'"),
        ({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}, "podAntiAffinity"),
    ],
)
def test_a_mistyped_affinity_is_refused_by_the_schema(where: str, affinity: Object, said: str) -> None:
    change: Object = {"affinity": affinity}
    for name in reversed(where.split(".")):
        change = {name: change}
    assert said in refused(merged(BASE, change))


def test_a_variable_overrides_every_field_of_the_configuration_and_none_that_is_not_there() -> None:
    fields = {f"TWINSTACK_{name.upper()}": "x" for name in Config.model_fields}
    assert render(merged(BASE, {"environment": {**fields, "TWINSTACK_SERVING__PORT": "8081"}}), "config.yaml")
    with pytest.raises(HelmError, match="TWINSTACK_STORE__WAREHOUSE names no field"):
        render(merged(BASE, {"environment": {"TWINSTACK_STORE__WAREHOUSE": "x"}}), "config.yaml")


def _validators(kind: Any) -> set[str]:
    """Names of the checks of several fields, in a model and what it holds."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {name for part in get_args(kind) for name in _validators(part)}
    found = set(kind.__pydantic_decorators__.model_validators)
    return found.union(*(_validators(field.annotation) for field in kind.model_fields.values()))


def test_no_check_of_the_configuration_is_added_without_one_in_the_chart() -> None:
    assert _validators(Config) == {
        "_label_is_declared", "_pools_are_declared", "_zero_is_woken", "_production_is_pinned",
        "_overlap_leaves_room", "_value_has_a_meaning", "_bounds_are_in_order", "_requests_fit_their_limits",
        "_one_place_a_store", "_gives_up_in_time", "_is_one_of_both", "_secrets_are_elsewhere",
    }  # fmt: skip
