"""A namespace on the stand-in, and releases of both kinds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.adapters.kubernetes.access import Access
from components.adapters.kubernetes.api import Api
from components.shared.config.cluster import Cluster
from components.shared.config.llm import Answering, Foundation
from components.shared.releases import Release
from tests.components import samples
from tests.components.adapters.kubernetes.stand_in import TOKEN, Server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


@pytest.fixture
def api(server: Server, token: Path) -> Iterator[Api]:
    made = Api(Access(server.url, "twinstack", token), sleep=lambda _: None)
    yield made
    made.close()


def release(kind: str = "classic", version: str = "3", **values: Any) -> Release:
    """A release whose model lies in object storage."""
    model = "s3://bucket/artifacts/train/r1" if kind == "classic" else "s3://bucket/artifacts/finetune/r1"
    answering = Answering(foundation=Foundation(model="hf://org/base")) if kind == "llm" else None
    return samples.release(
        f"r{version}",
        **{
            "twin": "credit" if kind == "classic" else "docs", "kind": kind, "model_version": version,
            "model_uri": model, "answering": answering, "dataset_version": "d1", "commit": "abc",
            "model_digest": "0a1b", "run": "run-1", **values,
        },
    )  # fmt: skip


def settings(**predictors: Any) -> Cluster:
    """Settings whose patience is short."""
    return Cluster(predictors={"ready_seconds": 5, "failing_seconds": 0, **predictors})
