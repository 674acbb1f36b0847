"""Several processes train what one would: real torchrun, two processes, gloo on the CPU, a tiny model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file

from components.finetune import training, work
from components.finetune.checkpoint import Checkpoint
from components.finetune.handover import handover
from components.finetune.ranks import Together
from components.runtime.context import Context
from components.shared.config import Config, dump
from components.shared.errors import ConfigError
from components.shared.manifests import Manifest
from tests.components import llm_fixtures
from tests.components.finetune.tiny import base, tiny
from tests.components.samples import llm_twin
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parents[3]

#: A worker that writes a checkpoint after every step, and dies as by kill -9 where it is told to.
WORKER = """
import os, signal, sys
from components.finetune import checkpoint, ranks, training, worker
training.INTERVAL = 0.0
write = checkpoint.Checkpoint.write
def deadly(self, trained, optimizer, progress, random):
    write(self, trained, optimizer, progress, random)
    if len(progress.losses) == int(os.environ.get("KILL_AFTER", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.Checkpoint.write = deadly
shard = ranks.shard
def really(model):
    shard(model)
    kinds = {(one.requires_grad, type(one).__name__) for one in model.parameters() if one.ndim == 2}
    assert (False, "DTensor") in kinds and (True, "DTensor") not in kinds, kinds
ranks.shard = really
worker.main()
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    config = llm_fixtures.docs(
        tmp_path / "state", tmp_path, steps=4, batch_size=4, sequence_tokens=128, dropout=0.0
    )
    twin = llm_twin(config)
    foundation = twin.foundation.model_copy(update={"model": str(base(tmp_path / "base"))})
    twins = {"docs": twin.model_copy(update={"foundation": foundation})}
    return Context(config.model_copy(update={"twins": twins}), "docs", "finetune", allow_dirty=True)


@pytest.fixture
def dataset(context: Context) -> Manifest:
    return llm_fixtures.dataset(context.config)


def torchrun(
    config: Config, dataset: Manifest, folder: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    script = folder / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-addr", "127.0.0.1", "--master-port", str(free_port()), str(script)]
    command += ["--config", dump(config), "--twin", "docs", "--dataset", dataset.model_dump_json()]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.allclose(value, other[name], atol=1e-3, rtol=1e-2) for name, value in one.items()
    )


def test_two_processes_make_the_adapter_that_one_makes_and_go_on_after_a_kill(
    context: Context, dataset: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    alone = work.train(context, dataset, tmp_path / "alone", Checkpoint(tmp_path / "progress"))
    place = handover(context.config, work.key_of(context, dataset))

    killed = torchrun(context.config, dataset, tmp_path, KILL_AFTER="2")
    assert killed.returncode != 0 and not place.ready()
    assert list((tmp_path / "state").rglob("progress/training.safetensors"))

    done = torchrun(context.config, dataset, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    events = [
        json.loads(line.split("::twin::", 1)[1]) for line in done.stdout.splitlines() if "::twin::" in line
    ]
    steps = [one["done"] for one in events if one["event"] == "progress"]
    assert steps and steps[-1] == 4 and 1 not in steps and 2 not in steps, (
        "the first two were done before the kill"
    )

    (tmp_path / "together").mkdir()
    together = place.take(tmp_path / "together")
    assert (together.tokens, together.learned) == (alone.tokens, alone.learned)
    assert together.losses == pytest.approx(alone.losses, rel=1e-2)
    assert same(adapter(tmp_path / "together"), adapter(tmp_path / "alone"))
    untrained = training.adapted(tiny(), context.llm.training, context.llm.seed)
    training.save(untrained, tmp_path / "untrained", "x")
    assert not same(adapter(tmp_path / "untrained"), adapter(tmp_path / "alone")), "the comparison can fail"
    place.clear()
    assert not place.ready()


def test_a_batch_too_small_for_the_processes_is_refused() -> None:
    dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())  # type: ignore[attr-defined]
    try:
        with pytest.raises(ConfigError, match=r"training.batch_size 0 is less than 1 processes"):
            Together(tiny(), 0, seed=0)
    finally:
        dist.destroy_process_group()
