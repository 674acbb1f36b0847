"""How far a training is: adapter, optimizer and random state in one file that is whole or not there.

Safetensors hold plain numbers: reading a checkpoint runs no code of whoever wrote it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from components.adapters import objects
from components.shared.files import write_atomic

FILE = "training.safetensors"


@dataclass(frozen=True)
class Progress:
    """What was done before the checkpoint.

    Attributes:
        losses: Mean loss of every step that was done.
        tokens: Tokens that went through.
        learned: Those of them that were learned.
        seconds: Time that it took.
    """

    losses: list[float]
    tokens: int
    learned: int
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """The one checkpoint of a training, below a folder named by what is trained.

    Attributes:
        folder: Where it lies, or where it is read from.
        remote: `s3://` URI where it is kept instead, for processes that share no folder.
    """

    folder: Path
    remote: str = ""

    def write(
        self, trained: Sequence[Any], optimizer: Any, progress: Progress, random: Sequence[torch.Tensor]
    ) -> None:
        """Replace the checkpoint.

        Args:
            trained: Parameters, in the optimizer's order.
            optimizer: AdamW after at least one step.
            progress: What was done so far.
            random: State of the random numbers of every process, in their order.
        """
        tensors = {f"random.{rank}": state for rank, state in enumerate(random)}
        for number, parameter in enumerate(trained):
            tensors[f"{number}.value"] = parameter.detach()
            for name, value in optimizer.state[parameter].items():
                tensors[f"{number}.{name}"] = value.detach()
        whole = {name: value.contiguous().cpu() for name, value in tensors.items()}
        content = save(whole, metadata={"progress": json.dumps(vars(progress))})
        if self.remote:
            objects.write(f"{self.remote}/{FILE}", content)
        else:
            write_atomic(self.folder / FILE, content)

    def read(self, trained: Sequence[Any], optimizer: Any, rank: int = 0) -> Progress | None:
        """Bring parameters, optimizer and random state back to the checkpoint, if there is one.

        Args:
            trained: Parameters, in the optimizer's order.
            optimizer: AdamW.
            rank: Number of this process.
        """
        path = self.folder / FILE
        if self.remote and (content := objects.read(f"{self.remote}/{FILE}")):
            write_atomic(path, content)
        if not path.exists():
            return None
        with safe_open(path, framework="pt") as file, torch.no_grad():
            if f"random.{rank}" in file.keys():  # noqa: SIM118 - a file, not a dictionary
                torch.set_rng_state(file.get_tensor(f"random.{rank}"))
            for number, parameter in enumerate(trained):
                parameter.copy_(file.get_tensor(f"{number}.value"))
                optimizer.state[parameter] = {
                    name: self._placed(name, file.get_tensor(f"{number}.{name}"), parameter)
                    for name in ("step", "exp_avg", "exp_avg_sq")
                }
            return Progress(**json.loads(file.metadata()["progress"]))

    @staticmethod
    def _placed(name: str, value: torch.Tensor, parameter: Any) -> torch.Tensor:
        # AdamW counts its steps on the CPU, wherever the parameter is.
        return value if name == "step" else value.to(parameter.device)

    def clear(self) -> None:
        """Forget it: what was trained is committed."""
        if self.remote:
            objects.delete_folder(self.remote)
        (self.folder / FILE).unlink(missing_ok=True)
        if self.folder.exists():
            self.folder.rmdir()
