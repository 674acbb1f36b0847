"""Stage finetune by a TrainJob: the stand-in plays Kubeflow Trainer, the training is real."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from components.adapters.kubernetes.trainer import TrainingError
from components.finetune import core, training, work
from components.finetune.checkpoint import Progress
from components.finetune.handover import Handover, handover
from components.finetune.training import Outcome
from components.runtime.context import Context
from components.shared.config.cluster import Cluster
from components.shared.config.stores import Stores
from components.shared.errors import DataError
from tests import servers
from tests.components import llm_fixtures
from tests.components.adapters.kubernetes.stand_in import TOKEN, Server
from tests.components.finetune.tiny import base
from tests.components.samples import llm_twin


@pytest.fixture
def context(tmp_path: Path, server: Server) -> Context:
    config = llm_fixtures.docs(tmp_path / "state", tmp_path, steps=2, batch_size=2, sequence_tokens=256)
    twin = llm_twin(config)
    foundation = twin.foundation.model_copy(update={"model": str(base(tmp_path / "base"))})
    (tmp_path / "token").write_text(TOKEN)
    cluster = Cluster(
        api={"server": server.url, "token_file": str(tmp_path / "token")},
        training={"nodes": 2, "wait_seconds": 60},
    )
    state = config.state_path
    stores = Stores(
        warehouse=f"sqlite://{state}/warehouse.db",
        vectors=f"milvus-lite://{state}/vectors",
        features=f"feast://{state}/features",
        tracking=f"sqlite://{state}/mlflow/mlflow.db",
        artifacts=f"file://{state}/artifacts",
    )
    update = {
        "profile": "cluster",
        "cluster": cluster,
        "stores": stores,
        "twins": {"docs": twin.model_copy(update={"foundation": foundation})},
    }
    return Context(config.model_copy(update=update), "docs", "finetune", allow_dirty=True)


def test_the_stage_commits_what_the_trainjob_made(
    context: Context, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = llm_fixtures.dataset(context.config)
    place = handover(context.config, work.key_of(context, dataset))

    def trained(one: Server) -> None:
        (name,) = one.names("trainjobs")
        arguments = one.get("trainjobs", name)["spec"]["trainer"]["args"]
        assert arguments[arguments.index("--dataset") + 1] == dataset.model_dump_json()
        labels = {"jobset.sigs.k8s.io/jobset-name": name, "batch.kubernetes.io/job-completion-index": "0"}
        one.put("pods", {"kind": "Pod", "metadata": {"name": "p", "labels": labels}, "status": {}})
        one.logs["p"] = ['2026-01-01T00:00:00Z noise ::twin::{"event": "progress", "done": 2}']
        (tmp_path / "made").mkdir()
        place.give(tmp_path / "made", work.train(context, dataset, tmp_path / "made", place.checkpoint()))
        one.status("trainjobs", name, conditions=[{"type": "Complete", "status": "True"}])

    server.steps = [trained]
    made = core.run(context, dataset)
    names = {path.name for path in made.folder.iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "losses.json", "loss.png"} <= names
    assert made.number("tokens") > 0 and made.text("model_version") == "1"
    assert '\n::twin::{"event": "progress", "done": 2}\n' in capsys.readouterr().out
    assert server.names("trainjobs") == []
    assert not place.ready(), "what was handed over is gone once it is committed"


def test_a_failed_trainjob_commits_nothing(context: Context, server: Server) -> None:
    def failed(one: Server) -> None:
        (name,) = one.names("trainjobs")
        failure = {"type": "Failed", "status": "True", "message": "jobset failed"}
        one.status("trainjobs", name, conditions=[failure])

    server.steps = [failed]
    with pytest.raises(TrainingError, match="jobset failed"):
        core.run(context, llm_fixtures.dataset(context.config))
    assert context.stores.artifacts.latest("docs", "finetune") is None


@pytest.fixture(params=["folder", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Handover]:
    if request.param == "folder":
        yield Handover((tmp_path / "shared").as_uri(), tmp_path / "local")
        return
    with servers.object_storage(monkeypatch) as uri:
        yield Handover(f"{uri}/training/key", tmp_path / "local")


def test_a_checkpoint_travels_to_a_process_of_another_node(place: Handover, tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.grad = torch.ones(3)
    optimizer.step()
    states = [torch.Generator().manual_seed(seed).get_state() for seed in (1, 2)]
    place.checkpoint().write([parameter], optimizer, Progress([1.5], 7, 5, 2.0), states)

    elsewhere = Handover(place.uri, tmp_path / "other")
    fresh = torch.nn.Parameter(torch.zeros(3))
    found = elsewhere.checkpoint().read([fresh], torch.optim.AdamW([fresh]), rank=1)
    assert found == Progress([1.5], 7, 5, 2.0)
    assert torch.equal(fresh, parameter)
    assert torch.equal(torch.get_rng_state(), states[1])


def test_a_result_is_whole_or_not_there(place: Handover, tmp_path: Path) -> None:
    adapter, target = tmp_path / "adapter", tmp_path / "target"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_text("weights")
    assert not place.ready()
    with pytest.raises(DataError, match="left no adapter"):
        place.take(target)
    place.give(adapter, Outcome([2.0, 1.0], 10, 8, 3.0))
    assert place.ready() and place.take(target) == training.Outcome([2.0, 1.0], 10, 8, 3.0)
    assert (target / "adapter_model.safetensors").read_text() == "weights"
    place.clear()
    assert not place.ready()
