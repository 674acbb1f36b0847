"""What answers already is never taken away: a patch that fails is undone, and fields of others stay."""

import copy
from dataclasses import replace

import pytest

from components.adapters.kubernetes.answers import FieldConflictError
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.following import NotReadyError
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
from tests.components.adapters.kubernetes.stand_in import Server


def test_a_model_that_answers_already_is_never_taken_back(api: Api, server: Server) -> None:
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    with pytest.raises(NotReadyError):
        deployer(api).deploy(release(), silent, answering=True)
    assert server.names(SERVICES) == [NAME]


def test_a_model_that_answers_gets_back_what_it_had(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    before = copy.deepcopy(server.get(SERVICES, NAME))
    server.steps = [has_pod(**PROBLEMS["image"][0])]
    told: list[str] = []
    with pytest.raises(NotReadyError):
        deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"}).deploy(
            release(run="run-2"), told.append, answering=True
        )
    now = server.get(SERVICES, NAME)
    assert now["spec"] == before["spec"]
    assert now["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert told[-1].endswith("is what it was before; its pods answer on")


def test_a_model_that_cannot_get_back_what_it_had_is_told(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)

    def fails_and_forbids(one: Server) -> None:
        has_pod(**PROBLEMS["image"][0])(one)
        one.rules = tuple(replace(it, verbs=tuple({*it.verbs} - {"patch"})) for it in one.rules)

    server.steps = [fails_and_forbids]
    told: list[str] = []
    with pytest.raises(NotReadyError):
        deployer(api, classic={"memory": "3Gi", "memory_limit": "3Gi"}).deploy(
            release(), told.append, answering=True
        )
    assert "is left as it is" in told[-1]


def test_a_service_that_somebody_deletes_is_told(api: Api, server: Server) -> None:
    server.steps = [lambda one: one.objects.clear()]
    with pytest.raises(NotReadyError, match="was deleted while it was waited for"):
        deployer(api).deploy(release(), silent)


def test_fields_of_somebody_else_are_not_taken_without_a_word(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    changed = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": NAME},
        "spec": {"predictor": {"minReplicas": 5}},
    }
    server.apply((SERVICES, "twinstack", NAME), changed, "kubectl-edit", force=True)
    with pytest.raises(FieldConflictError, match=r'minReplicas.*conflict with "kubectl-edit".*force'):
        deployer(api).deploy(release(), silent, answering=True)
    assert server.get(SERVICES, NAME)["spec"]["predictor"]["minReplicas"] == 5
    server.steps = [becomes_ready()]
    deployer(api, force=True).deploy(release(), silent, answering=True)
    assert server.get(SERVICES, NAME)["spec"]["predictor"]["minReplicas"] == 1


def test_fields_that_nobody_else_knows_stay(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api).deploy(release(), silent)
    server.get(SERVICES, NAME)["metadata"]["annotations"]["somebody.else/note"] = "kept"
    deployer(api).deploy(release(), silent)
    assert server.get(SERVICES, NAME)["metadata"]["annotations"]["somebody.else/note"] == "kept"
