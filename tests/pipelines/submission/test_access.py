"""How the Kubeflow Pipelines server is reached, with which token, and what its refusals are called."""

import socket
from pathlib import Path

import pytest

from components.shared.config import load
from components.shared.errors import ConfigError, PipelinesError, TwinError
from pipelines import submission
from pipelines.submission import Target
from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import ROOT, configured


def test_a_token_file_is_read_anew_for_every_call(stub: Kept, tmp_path: Path) -> None:
    path = tmp_path / "mounted"
    path.write_text("first\n")
    stub.token = "first"
    found = submission.reached(configured(tmp_path, stub, kfp={"token_file": str(path)}))
    submission.submit(found, "collect", "credit")
    path.write_text("second\n")  # as the kubelet does it, long before the old one ends
    stub.token = "second"
    submission.submit(found, "collect", "credit")
    assert len(stub.runs) == 2


def test_a_token_comes_from_a_variable_as_well(
    stub: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFP_ACCESS", "from-variable")
    stub.token = "from-variable"
    found = configured(tmp_path, stub, kfp={"token_variable": "KFP_ACCESS"})
    submission.submit(submission.reached(found), "collect", "credit")
    assert len(stub.runs) == 1


def test_without_a_token_the_error_says_where_one_comes_from(target: Target, stub: Kept) -> None:
    stub.token = "needed"
    with pytest.raises(PipelinesError, match=r"does not know the caller.*cluster\.kfp\.token_file") as caught:
        submission.submit(target, "collect", "credit")
    assert caught.value.code == 401


def test_a_token_file_that_is_missing_is_named(stub: Kept, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    found = submission.reached(configured(tmp_path, stub, kfp={"token_file": gone}))
    with pytest.raises(ConfigError, match=r"cannot read the token: No such file.*gone"):
        submission.submit(found, "collect", "credit")


def test_a_token_file_of_a_pod_is_not_asked_for_behind_a_port_forward(stub: Kept, tmp_path: Path) -> None:
    config = configured(tmp_path, stub, kfp={"token_file": str(tmp_path / "gone")})
    found = submission.reached(config, config.cluster.kfp.endpoint)
    assert submission.submit(found, "collect", "credit").run


def test_an_empty_variable_is_named(stub: Kept, tmp_path: Path) -> None:
    found = submission.reached(configured(tmp_path, stub, kfp={"token_variable": "NOT_SET_ANYWHERE"}))
    with pytest.raises(ConfigError, match="environment variable NOT_SET_ANYWHERE"):
        submission.submit(found, "collect", "credit")


def test_what_the_caller_may_not_is_said_in_the_words_of_the_server(target: Target, stub: Kept) -> None:
    stub.faults = [(403, b'{"message": "User \'ana\' is not authorized with reason: list pipelines"}')]
    with pytest.raises(PipelinesError, match=r"may not: User 'ana'.*cluster\.kfp\.namespace"):
        submission.submit(target, "collect", "credit")


def test_a_page_of_a_proxy_is_quoted_in_short(target: Target, stub: Kept) -> None:
    stub.faults = [(502, b"<html>\n<body>Bad gateway" + b"x" * 5_000)]
    with pytest.raises(PipelinesError, match="answers 502: <html> <body>Bad gateway") as caught:
        submission.submit(target, "collect", "credit")
    assert len(str(caught.value)) < 600


def test_a_server_that_is_not_there_is_named_with_what_to_look_at(stub: Kept, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        gone = f"http://127.0.0.1:{closed_at_once.getsockname()[1]}"
    found = submission.reached(configured(tmp_path, stub), gone)
    with pytest.raises(PipelinesError, match=r"no answer.*Connection refused.*port-forward") as caught:
        submission.submit(found, "collect", "credit")
    assert gone in str(caught.value)
    assert caught.value.code == 0


def test_without_an_endpoint_the_error_shows_a_port_forward(stub: Kept, tmp_path: Path) -> None:
    found = submission.reached(configured(tmp_path, stub, kfp={"endpoint": ""}))
    with pytest.raises(ConfigError, match=r"kubectl port-forward"):
        submission.submit(found, "collect", "credit")


def test_a_laptop_configuration_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match="no other pod sees"):
        submission.reached(load(ROOT / "twinstack.yaml"), "http://127.0.0.1:1")


def test_unknown_names_are_answered_with_the_known_ones(target: Target, stub: Kept) -> None:
    with pytest.raises(ConfigError, match="collect, end_to_end, features"):
        submission.submit(target, "everything", "docs")
    with pytest.raises(TwinError, match="credit, docs"):
        submission.submit(target, "train", "nobody")
    assert stub.requests == []
