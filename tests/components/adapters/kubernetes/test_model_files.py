"""Where a predictor finds its model: folders that KServe fetches, and folders on a claim."""

import pytest

from components.adapters.kubernetes.model_files import folders, storage_uri
from components.shared.config.cluster import Cluster
from components.shared.errors import ConfigError


def test_a_folder_on_a_volume_is_named_by_its_claim() -> None:
    works = Cluster(predictors={"artifacts_claim": "artifacts"})
    found = storage_uri("file:///artifacts/train/r1", works, "file:///artifacts")
    assert found == "pvc://artifacts/train/r1"


@pytest.mark.parametrize(
    ("uri", "claim"), [("file:///artifacts/train/r1", ""), ("file:///elsewhere/r1", "artifacts")]
)
def test_what_no_pod_can_read_is_refused(uri: str, claim: str) -> None:
    works = Cluster(predictors={"artifacts_claim": claim})
    with pytest.raises(ConfigError, match="no predictor can read the model"):
        storage_uri(uri, works, "file:///artifacts")


def test_nothing_is_mounted_below_the_folder_that_kserve_mounts_read_only() -> None:
    made = folders({"base": "hf://org/base", "one": "s3://bucket/one", "two": "pvc://claim/deep/two"})
    assert [one["mountPath"] for one in made.fetched] == ["/mnt/models/base", "/mnt/models/one"]
    (mount,) = made.mounts
    assert (mount["mountPath"], mount["subPath"]) == ("/mnt/claims/two", "deep/two")
    assert made.paths == {
        "base": "/mnt/models/base",
        "one": "/mnt/models/one",
        "two": "/mnt/claims/two",
    }


def test_a_claim_that_holds_nothing_else_is_mounted_whole() -> None:
    made = folders({"base": "pvc://weights"})
    assert made.mounts == [{"name": "base", "mountPath": "/mnt/claims/base", "readOnly": True}]
    assert made.fetched == []
