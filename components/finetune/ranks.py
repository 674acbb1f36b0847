"""The processes that train together: what they share out, and what they add up.

The frozen base is sharded (FSDP2), layer by layer: each process holds its part, and a layer is gathered while
it is computed. The adapter, a hundredth of that, is whole in every process, and its gradients are added up.
So a checkpoint and the saved adapter are the same files however many processes train.
"""

import os
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from components.finetune.packing import Pack
from components.shared.errors import ConfigError


def device() -> torch.device:
    """The GPU of this process, or the CPU; torchrun numbers the processes of a machine."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


class Ranks:
    """One process alone: nothing is shared out, and nothing is added up.

    Args:
        model: From `training.adapted`; it is moved to the device of this process.
    """

    rank = 0
    size = 1

    def __init__(self, model: Any) -> None:
        self.device = device()
        model.to(self.device)

    def mine(self, group: Sequence[Pack]) -> Sequence[Pack]:
        """The sequences of a batch that this process computes."""
        return group

    def add(self, gradients: Sequence[Any]) -> None:
        """Replace gradients by their sums over all processes."""

    def total(self, value: torch.Tensor) -> float:
        """Sum of a number over all processes."""
        return float(value.item())

    def agree(self, wish: bool) -> bool:
        """What the first process wishes, for all."""
        return wish

    def random(self) -> list[torch.Tensor]:
        """State of the random numbers of every process."""
        return [torch.get_rng_state()]


class Together(Ranks):
    """A process among those that torchrun started.

    Args:
        model: From `training.adapted`; its frozen layers are sharded.
        batch: Sequences of a batch.
        seed: Of the dropout; every process draws its own.

    Raises:
        ConfigError: A batch has fewer sequences than there are processes.
    """

    def __init__(self, model: Any, batch: int, seed: int) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        if batch < self.size:
            raise ConfigError(
                f"training.batch_size {batch} is less than {self.size} processes: some would do nothing",
                where="training.batch_size",
                remedy=f"set it to {self.size} or more, best a multiple of it",
            )
        shard(model)
        # Layers are on the device by now, each process's part of them; embeddings, head and adapter follow.
        super().__init__(model)
        torch.manual_seed(seed + self.rank)

    def mine(self, group: Sequence[Pack]) -> Sequence[Pack]:
        """Every `size`-th sequence."""
        return group[self.rank :: self.size]

    def add(self, gradients: Sequence[Any]) -> None:
        """Replace gradients by their sums over all processes, in one message."""
        whole = torch.cat([one.flatten() for one in gradients])
        dist.all_reduce(whole)
        start = 0
        for one in gradients:
            one.copy_(whole[start : start + one.numel()].view_as(one))
            start += one.numel()

    def total(self, value: torch.Tensor) -> float:
        """Sum of a number over all processes."""
        whole = value.clone()
        dist.all_reduce(whole)
        return float(whole.item())

    def agree(self, wish: bool) -> bool:
        """What the first process wishes, for all: their clocks differ."""
        flag = torch.tensor([int(wish)], device=self.device)
        dist.broadcast(flag, src=0)
        return bool(flag.item())

    def random(self) -> list[torch.Tensor]:
        """State of the random numbers of every process."""
        mine = torch.get_rng_state().to(self.device)
        every = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(every, mine)
        return [one.cpu() for one in every]


def shard(model: Any) -> None:
    """Shard the frozen parameters of every decoder layer over all processes, and move them to their GPUs.

    Layer by layer: a GPU never holds more than its parts and one whole layer.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device().type, (dist.get_world_size(),))
    trained = {one for one in model.parameters() if one.requires_grad}
    for layer in model.get_base_model().get_decoder().layers:
        fully_shard(layer, mesh=mesh, ignored_params={one for one in layer.parameters() if one in trained})
