"""Released predictors take no more accelerators together than they are allowed."""

import pytest

from components.adapters.kubernetes.answers import ClusterError
from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.gpu_limit import gpus
from components.adapters.kubernetes.inference_service import inference_service
from tests.components.adapters.kubernetes.conftest import release, settings
from tests.components.adapters.kubernetes.deploying import STORE, becomes_ready, deployer, silent
from tests.components.adapters.kubernetes.stand_in import Server

SERVICES = "inferenceservices"
#: Two accelerators a pod and three pods at the most.
LARGE = {"gpus": 2, "max_replicas": 3}


def test_the_accelerators_of_all_pods_count_and_nothing_else_does() -> None:
    made = inference_service(release("llm"), settings(llm=LARGE), STORE)
    assert gpus(made) == 6
    assert gpus(inference_service(release(), settings(), STORE)) == 0
    assert gpus({"spec": {"predictor": {"minReplicas": 1}}}) == 0


def test_what_fits_is_made_and_what_does_not_is_refused_before_anything_changes(
    api: Api, server: Server
) -> None:
    server.steps = [becomes_ready("docs-m3")]
    deployer(api, llm=LARGE, max_gpus=11).deploy(release("llm"), silent)
    with pytest.raises(ClusterError, match=r"docs-m4 may take 6 .* allows 11 in all; taken: docs-m3 6"):
        deployer(api, llm=LARGE, max_gpus=11).deploy(release("llm", "4"), silent)
    assert server.names(SERVICES) == ["docs-m3"]
    server.steps = [becomes_ready("docs-m4")]
    deployer(api, llm=LARGE, max_gpus=12).deploy(release("llm", "4"), silent)
    assert server.names(SERVICES) == ["docs-m3", "docs-m4"]


def test_predictors_of_other_twins_count_too(api: Api, server: Server) -> None:
    server.steps = [becomes_ready("docs-m3")]
    deployer(api, llm=LARGE).deploy(release("llm"), silent)
    with pytest.raises(ClusterError, match="taken: docs-m3 6"):
        deployer(api, llm=LARGE, max_gpus=8).deploy(release("llm", twin="support"), silent)


def test_a_limit_that_was_lowered_keeps_nothing_from_answering_on(api: Api, server: Server) -> None:
    server.steps = [becomes_ready("docs-m3")]
    deployer(api, llm=LARGE).deploy(release("llm"), silent)
    deployer(api, llm=LARGE, max_gpus=0).deploy(release("llm"), silent, answering=True)
    with pytest.raises(ClusterError, match="may take 8"):
        deployer(api, llm=LARGE | {"max_replicas": 4}, max_gpus=0).deploy(
            release("llm"), silent, answering=True
        )


def test_a_predictor_without_accelerators_is_made_whatever_the_limit(api: Api, server: Server) -> None:
    server.steps = [becomes_ready()]
    deployer(api, max_gpus=0).deploy(release(), silent)
    assert server.names(SERVICES) == ["credit-m3"]
