"""LoRA fine-tuning: adapter, learning rate, the loop, and the files it leaves (Hu et al. 2021)."""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from components.adapters.foundation.entropy import token_losses
from components.finetune.checkpoint import Checkpoint, Progress
from components.finetune.packing import Pack
from components.finetune.ranks import Ranks
from components.shared.config.llm import Finetune
from components.shared.conversation import IGNORED
from components.shared.files import write_atomic

#: Norm that gradients are cut to.
CLIP = 1.0

#: Seconds between two checkpoints: what a killed training has to do again.
INTERVAL = 30.0

#: Steps done, loss of the last one in nats per learned token, tokens a second so far.
Report = Callable[[int, float, float], None]


@dataclass(frozen=True)
class Outcome:
    """What a training did.

    Attributes:
        losses: Mean loss per learned token of every step, in nats, before the step's update.
        tokens: Tokens that went through, padding not counted.
        learned: Those of them that were learned.
        seconds: Time of all steps.
    """

    losses: list[float]
    tokens: int
    learned: int
    seconds: float


def adapted(model: Any, settings: Finetune, seed: int) -> Any:
    """The model with a fresh adapter on every linear layer but the head; only the adapter is trained.

    The adapter is float32 also where the model is bfloat16: small updates would be lost in rounding.
    """
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def share(step: int, settings: Finetune) -> float:
    """Share of the peak learning rate at a step from 0: a linear rise, then half a cosine towards 0."""
    rising = math.ceil(settings.warmup * settings.steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, settings.steps - rising)))


def tensors(group: Sequence[Pack], device: Any) -> dict[str, torch.Tensor]:
    """`input_ids`, `labels` and `position_ids`, int64, each of shape (sequences, tokens)."""
    columns = {"input_ids": "ids", "labels": "labels", "position_ids": "positions"}
    return {
        name: torch.tensor([getattr(one, column) for one in group], device=device)
        for name, column in columns.items()
    }


def fit(
    model: Any,
    groups: Iterator[Sequence[Pack]],
    settings: Finetune,
    report: Report,
    checkpoint: Checkpoint | None = None,
    ranks: Ranks | None = None,
) -> Outcome:
    """Train the parameters that require gradients, for `settings.steps` steps.

    With a checkpoint, a training that was killed goes on where it last wrote one, to the same result.

    Args:
        model: From `adapted`.
        groups: Padded sequences of every step.
        settings: Steps, learning rate, warm-up.
        report: Called after every step.
        checkpoint: Where progress is kept, at most once in half a minute.
        ranks: The processes that train together; this one alone where not given. Together they do the very
            steps that one process would: each takes its share of a batch, gradients are added up.
    """
    ranks = ranks or Ranks(model)
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
    causal = model.get_base_model()
    before = checkpoint.read(trained, optimizer, ranks.rank) if checkpoint else None
    before = before or Progress([], 0, 0, 0.0)
    losses, tokens, learned = before.losses, before.tokens, before.learned
    model.train()
    written = start = time.perf_counter()
    # The stream of batches is decided by the seed: what was done before is passed over.
    for step, group in islice(enumerate(groups), len(losses), settings.steps):
        for one in optimizer.param_groups:
            one["lr"] = settings.learning_rate * share(step, settings)
        count = sum(label != IGNORED for one in group for label in one.labels)
        loss = token_losses(causal, **tensors(ranks.mine(group), ranks.device)).sum() / count
        loss.backward()
        _descend(optimizer, trained, ranks)
        losses.append(ranks.total(loss.detach()))
        tokens += sum(_filled(one) for one in group)
        learned += count
        now = time.perf_counter()
        spent = before.seconds + now - start
        if ranks.rank == 0:
            report(step + 1, losses[-1], tokens / spent)
        if checkpoint and ranks.agree(now - written >= INTERVAL):
            written = now
            random = ranks.random()
            if ranks.rank == 0:
                checkpoint.write(trained, optimizer, Progress(losses, tokens, learned, spent), random)
    model.eval()
    return Outcome(losses, tokens, learned, before.seconds + time.perf_counter() - start)


def _descend(optimizer: torch.optim.Optimizer, trained: Sequence[torch.nn.Parameter], ranks: Ranks) -> None:
    """A step along the gradients of all ranks together, clipped; none are left."""
    ranks.add([one.grad for one in trained])
    torch.nn.utils.clip_grad_norm_(trained, CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _filled(pack: Pack) -> int:
    """Tokens up to the last learned one: what follows is padding."""
    return max(at for at, label in enumerate(pack.labels, start=1) if label != IGNORED)


def save(model: Any, folder: Path, foundation: str) -> None:
    """Write `adapter_model.safetensors` and `adapter_config.json`, the same bytes for the same adapter.

    Args:
        model: From `adapted`, trained.
        folder: Where to.
        foundation: What the adapter belongs to, as the configuration names it.
    """
    # `auto` would ask a model hub whether the vocabulary has grown.
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = foundation  # not the folder where this machine keeps it
    config["target_modules"] = sorted(config["target_modules"])
    write_atomic(path, json.dumps(config, indent=2, sort_keys=True))


def curve(losses: Sequence[float], path: Path) -> None:
    """Draw the loss of every step as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(losses) + 1), losses, marker="o", markersize=3)
    axes.set(xlabel="step", ylabel="loss, nats per answer token", title="Fine-tuning")
    axes.grid(alpha=0.3)
    figure.savefig(path, format="png", metadata={"Software": None})
