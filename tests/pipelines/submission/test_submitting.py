"""`twin submit` against a stub of the API, not Kubeflow's server.

The stub holds requests to the models of the generated client; what a real server answers beyond that is not
tested here.
"""

from pathlib import Path

from components.shared.config import parse
from pipelines import submission
from pipelines.compiler import package_of, version_name
from pipelines.submission import Target
from tests.components.adapters.kfp.stub import Kept
from tests.pipelines.submission.cluster import configured


def test_uploads_the_pipeline_compiled_for_the_cluster_and_starts_it(target: Target, stub: Kept) -> None:
    made = submission.submit(target, "train", "docs")
    package = package_of("train", "llm", target.config.cluster)
    assert stub.packages == {"v-1": package}
    (version,) = stub.versions
    assert version["display_name"] == version_name(package) == made.version
    assert version["name"] == f"train-llm-{made.version}"
    run = stub.runs[made.run]
    assert run["pipeline_version_reference"] == {"pipeline_id": "p-1", "pipeline_version_id": "v-1"}
    assert run["service_account"] == "twinstack-pipelines"
    assert made.link == f"{stub.url}/#/runs/details/{made.run}"


def test_sends_the_configuration_with_paths_that_start_inside_the_image(target: Target, stub: Kept) -> None:
    made = submission.submit(target, "collect", "credit", allow_dirty=True)
    given = stub.runs[made.run]["runtime_config"]["parameters"]
    assert given["twin"] == "credit"
    assert given["allow_dirty"] is True
    arrived = parse(given["config"])
    assert arrived.root == "/project"
    assert arrived.state == "/tmp/twinstack", "the project of an image belongs to root"
    assert arrived.twins == target.config.twins
    assert arrived.stores == target.config.stores
    assert arrived.cluster.kfp.endpoint == "", "how the server is reached is no business of a stage"


def test_equal_content_is_uploaded_once(target: Target, stub: Kept) -> None:
    first = submission.submit(target, "train", "docs")
    again = submission.submit(target, "train", "docs")
    assert (first.uploaded, again.uploaded) == ("new", "unchanged")
    assert first.version == again.version
    assert len(stub.versions) == len(stub.pipelines) == len(stub.experiments) == 1
    assert len(stub.runs) == 2


def test_other_settings_are_a_new_version_of_the_same_pipeline(
    target: Target, stub: Kept, tmp_path: Path
) -> None:
    submission.submit(target, "train", "docs")
    other = configured(tmp_path, stub, stages={"finetune": {"cpu": "4", "cpu_limit": "8"}})
    submission.submit(submission.reached(other), "train", "docs")
    assert len(stub.pipelines) == 1
    assert len(stub.versions) == 2


def test_a_profile_namespace_goes_with_pipeline_and_experiment(stub: Kept, tmp_path: Path) -> None:
    found = configured(tmp_path, stub, kfp={"namespace": "credit-team", "experiment": "nightly"})
    submission.submit(submission.reached(found), "collect", "credit")
    assert stub.pipelines["collect-classic"]["namespace"] == "credit-team"
    assert stub.experiments[0] == {
        "display_name": "nightly", "namespace": "credit-team", "experiment_id": "e-1",
    }  # fmt: skip


def test_the_link_goes_to_the_address_for_people(stub: Kept, tmp_path: Path) -> None:
    found = configured(tmp_path, stub, kfp={"ui": "https://kubeflow.example.org/pipeline"})
    made = submission.submit(submission.reached(found), "collect", "credit")
    assert made.link == f"https://kubeflow.example.org/pipeline/#/runs/details/{made.run}"
