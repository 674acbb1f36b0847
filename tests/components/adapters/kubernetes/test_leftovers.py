"""What twins that are gone have left, against the stand-in: found, deleted, and nothing else touched."""

import pytest

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.inference_service import inference_service
from components.adapters.kubernetes.leftovers import delete, leftovers
from components.adapters.kubernetes.permissions import PRUNE
from tests.components.adapters.kubernetes.conftest import release, settings
from tests.components.adapters.kubernetes.stand_in import Object, Server
from tests.helm.rendering import ci, render

SERVICES, CLAIMS = "inferenceservices", "persistentvolumeclaims"


def charted() -> list[Object]:
    """What the chart makes for three twins, and a twin's pinned predictor among it."""
    return render(ci("production-gpu"))


@pytest.fixture
def held(server: Server) -> Server:
    """A namespace with the chart's objects, and predictors of the release stage."""
    server.rules = PRUNE
    for one in charted():
        if one["kind"] in ("InferenceService", "PersistentVolumeClaim"):
            server.put(SERVICES if one["kind"] == "InferenceService" else CLAIMS, one)
    for kind, version in (("classic", "3"), ("classic", "4"), ("llm", "1")):
        server.put(SERVICES, inference_service(release(kind, version), settings(), "s3://bucket/artifacts"))
    return server


def names(api: Api, *twins: str) -> list[str]:
    return [f"{one.kind}/{one.name}" for one in leftovers(api, twins)]


def test_predictors_and_claims_of_a_twin_that_is_gone_are_found(api: Api, held: Server) -> None:
    assert names(api, "docs", "support") == [
        "InferenceService/credit-m3",
        "InferenceService/credit-m4",
        "PersistentVolumeClaim/twinstack-credit-state",
    ]
    assert names(api, "docs", "support", "credit") == []


def test_what_is_deleted_takes_nothing_else_along(api: Api, held: Server) -> None:
    before = held.names(SERVICES)
    delete(api, leftovers(api, ["docs", "support"]))
    assert set(before) - set(held.names(SERVICES)) == {"credit-m3", "credit-m4"}
    assert held.names(CLAIMS) == ["twinstack-docs-state", "twinstack-support-state"]
    assert names(api, "docs", "support") == []


def test_what_was_made_anew_since_it_was_listed_stays(api: Api, held: Server) -> None:
    found = leftovers(api, ["docs", "support"])
    held.put(SERVICES, inference_service(release(), settings(), "s3://bucket/artifacts"))
    delete(api, found)
    assert "credit-m3" in held.names(SERVICES)
    assert "credit-m4" not in held.names(SERVICES)


def test_what_the_chart_or_somebody_else_made_is_not_looked_at(api: Api, held: Server) -> None:
    other: Object = {"metadata": {"name": "other", "labels": {"twinstack.io/twin": "credit"}}}
    held.put(SERVICES, other)
    held.put(CLAIMS, other)
    assert {one.split("/")[1] for one in names(api)}.isdisjoint({"other", "twinstack-credit"})
    assert not any("console" in one or "pinned" in one for one in names(api))


def test_every_right_that_it_is_said_to_need_is_needed(api: Api, held: Server) -> None:
    for rule in PRUNE:
        for verb in rule.verbs:
            held.rules = tuple(
                type(one)(one.group, one.resource, tuple(set(one.verbs) - {verb}), one.purpose)
                if one == rule
                else one
                for one in PRUNE
            )
            with pytest.raises(ClusterError, match=f"cannot {verb} resource .{rule.resource}"):
                delete(api, leftovers(api, []))
