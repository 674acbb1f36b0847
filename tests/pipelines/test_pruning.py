"""`twin prune`, against the stand-in for the API server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from components.adapters.kubernetes.inference_service import inference_service
from components.adapters.kubernetes.permissions import PRUNE
from components.shared.errors import RequestError
from pipelines.cli import app
from tests.components.adapters.kubernetes.conftest import release, settings
from tests.components.adapters.kubernetes.stand_in import TOKEN, Server

SERVICES = "inferenceservices"


@pytest.fixture
def cluster(corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A namespace in which twin `gone` and twin `credit` have a predictor; only the second is configured."""
    server = Server(rules=PRUNE).start()
    for twin in ("credit", "gone", "other"):
        server.put(SERVICES, inference_service(release(twin=twin), settings(), "s3://bucket/artifacts"))
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("TWINSTACK_CLUSTER__API__SERVER", server.url)
    monkeypatch.setenv("TWINSTACK_CLUSTER__API__TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("TWINSTACK_CONFIG", str(corpus / "twinstack.yaml"))
    yield server
    server.stop()


def prune(*words: str) -> Result:
    return CliRunner().invoke(app, ["prune", *words])


def test_it_lists_and_deletes_nothing_by_itself(cluster: Server) -> None:
    done = prune("--json")
    assert [(one["twin"], one["name"], one["state"]) for one in json.loads(done.stdout)["objects"]] == [
        ("gone", "gone-m3", "left"),
        ("other", "other-m3", "left"),
    ]
    assert cluster.names(SERVICES) == ["credit-m3", "gone-m3", "other-m3"]
    assert "Nothing is deleted without --delete" in prune().stdout


def test_it_deletes_what_the_named_twin_left(cluster: Server) -> None:
    done = prune("gone", "--delete")
    assert "deleted" in done.stdout and "gone-m3" in done.stdout and "other-m3" not in done.stdout
    assert cluster.names(SERVICES) == ["credit-m3", "other-m3"]
    assert prune("gone", "--delete").stdout == "nothing is left behind\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--delete",), "no twin is named"), (("credit", "--delete"), "twin 'credit' is in the configuration")],
)
def test_it_deletes_nothing_that_is_configured_or_that_nobody_named(
    cluster: Server, words: tuple[str, ...], said: str
) -> None:
    refused = prune(*words).exception
    assert isinstance(refused, RequestError)
    assert said in str(refused)
    assert cluster.names(SERVICES) == ["credit-m3", "gone-m3", "other-m3"]
