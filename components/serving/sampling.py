"""Seeded sampling inside a continuous batch, where requests of different settings share one forward pass.

transformers draws one stream of numbers for the whole batch, so a request's answer would depend on its
neighbours, and at temperature 0 equal bfloat16 logits would be broken by chance. Here every request draws its
own noise by seed and position (the Gumbel-max trick), which leaves one token a row to choose from.
"""

import hashlib
from typing import Any

import torch
from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor

#: Temperature that stands for 0: differences of bfloat16 logits become thousands, far above any noise.
COLD = 1e-5

#: Seeds that fit the 32 bits a request may pass to a processor.
SEEDS = 2**31


def seed_at(seed: int, position: int) -> int:
    """A seed for one token of one request."""
    mixed = hashlib.blake2b(f"{seed}/{position}".encode(), digest_size=4).digest()
    return int.from_bytes(mixed) % SEEDS


class SeededChoice(ContinuousBatchingLogitsProcessor):
    """Keeps one token a row: the largest of logit plus Gumbel noise drawn by the request's seed."""

    def __init__(self) -> None:
        self.supported_kwargs = {"seed": int}
        self.ignored_kwargs = ()

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Seed 0 where no request says otherwise."""
        int32_tensor.fill_(0)

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """One seed a row, by the request's own seed and how many tokens it has."""
        seeds = [
            seed_at(one.state.logit_processor_kwargs.get("seed", 0), len(one.state.generated_tokens))
            for one in requests_with_new_token
        ]
        return torch.tensor(seeds, dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores `[rows, vocabulary]`, all but the chosen token at minus infinity."""
        kept = torch.full_like(scores, float("-inf"))
        generator = torch.Generator(device=scores.device)
        for row, seed in enumerate(tensor_arg[: scores.size(0)].tolist()):
            generator.manual_seed(seed)
            # Exponential noise e gives Gumbel noise as -log(e).
            noise = torch.empty_like(scores[row], dtype=torch.float32).exponential_(generator=generator)
            chosen = int(torch.argmax(scores[row].float() - noise.log()))
            kept[row, chosen] = 0.0
        return kept


def install(manager: Any) -> None:
    """Make a batching manager choose tokens by each request's own seed; call it before the manager starts."""
    processors = manager.logit_processor
    choice = SeededChoice()
    processors.logits_processor.append(choice)
    processors.tensors_required += 1
    processors.supported_keys.update(choice.supported_kwargs)
    processors.do_processing = True
