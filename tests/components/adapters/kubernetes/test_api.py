"""An API server that refuses, hangs, stays away or forbids: tried again, or told with what to do."""

from pathlib import Path

import pytest

from components.adapters.kubernetes.access import Access
from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import INFERENCE_SERVICES, TRIES, Api
from components.adapters.kubernetes.following import NotReadyError
from components.adapters.kubernetes.permissions import RELEASE
from components.shared.errors import ConfigError
from tests.components.adapters.kubernetes.conftest import release
from tests.components.adapters.kubernetes.deploying import (
    NAME,
    PROBLEMS,
    SERVICES,
    becomes_ready,
    deployer,
    has_pod,
    silent,
)
from tests.components.adapters.kubernetes.stand_in import HANGS, Server


@pytest.mark.parametrize("fault", [409, 429, 500, 503, 0])
def test_what_passes_is_tried_again(api: Api, server: Server, fault: int) -> None:
    server.faults = [fault, fault]
    server.steps = [becomes_ready()]
    assert deployer(api).deploy(release(), silent)


def test_a_server_that_stays_away_is_told_after_some_tries(api: Api, server: Server) -> None:
    server.faults = [0] * 100
    with pytest.raises(ClusterError, match="does not answer"):
        api.get(INFERENCE_SERVICES, NAME)
    assert len(server.calls) == TRIES


def test_a_server_that_hangs_is_told_as_late(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api._client, "timeout", 0.1)
    server.faults = [HANGS] * TRIES
    with pytest.raises(ClusterError, match="does not answer: ReadTimeout"):
        api.get(INFERENCE_SERVICES, NAME)
    assert len(server.calls) == TRIES


def test_a_server_that_hangs_once_costs_one_try(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api._client, "timeout", 0.5)
    server.faults = [HANGS]
    server.steps = [becomes_ready()]
    assert deployer(api).deploy(release(), silent)


def test_an_overloaded_server_is_told_with_its_code(api: Api, server: Server) -> None:
    server.faults = [503] * TRIES
    with pytest.raises(ClusterError, match="answers 503"):
        api.get(INFERENCE_SERVICES, NAME)


def test_why_it_was_not_ready_survives_a_failing_clean_up(api: Api, server: Server) -> None:
    def broken(one: Server) -> None:
        has_pod(**PROBLEMS["wrong image name"][0])(one)
        one.rules = tuple(
            rule if rule.resource != SERVICES else type(rule)(rule.group, SERVICES, ("get", "watch"), "")
            for rule in RELEASE
        )

    server.steps = [broken]
    told: list[str] = []
    with pytest.raises(NotReadyError, match="InvalidImageName"):
        deployer(api).deploy(release(), told.append)
    assert "is left behind" in told[-1]


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_what_is_forbidden_names_verb_and_resource(api: Api, server: Server, verb: str) -> None:
    server.rules = tuple(
        type(one)(one.group, one.resource, tuple(v for v in one.verbs if v != verb), one.purpose)
        for one in RELEASE
    )
    with pytest.raises(ClusterError, match=rf"cannot {verb} resource.*inferenceservices.*let a Role give"):
        deployer(api).deploy(release(), silent)


def test_the_documented_permissions_are_enough_and_none_is_too_many(api: Api, server: Server) -> None:
    server.rules = RELEASE
    server.steps = [has_pod(phase="Pending"), becomes_ready()]
    deployer(api, classic={"max_replicas": 2}).deploy(release(), silent)
    by_requests = {"max_replicas": 2, "scaling": {"by": "requests"}}
    deployer(api, classic=by_requests).deploy(release(), silent)
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    deployer(api).clean("credit", {"9"})
    used = set(server.calls)
    assert used == {(verb, one.resource) for one in RELEASE for verb in one.verbs}


def test_a_renewed_token_is_read_anew(api: Api, server: Server, token: Path) -> None:
    api.get(INFERENCE_SERVICES, NAME)
    server.token = "another"
    with pytest.raises(ClusterError, match="Unauthorized"):
        api.get(INFERENCE_SERVICES, NAME)
    token.write_text("another\n")
    assert api.get(INFERENCE_SERVICES, NAME) is None


def test_a_missing_token_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="token cannot be read"):
        Api(Access(server.url, "twinstack", tmp_path / "none")).get(INFERENCE_SERVICES, NAME)
