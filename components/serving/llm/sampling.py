"""Seeded sampling inside a continuous batch, where requests of different settings share one forward pass.

transformers draws one stream of numbers for the whole batch, so a request's answer would depend on its
neighbours, and sorts the whole vocabulary for everybody. Here every request draws its own noise by seed and
position (the Gumbel-max trick), so the likeliest token after it is the choice. A row pays for what it asks.
"""

import hashlib
from typing import Any

import torch
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingTemperatureLogitsWarper,
    ContinuousBatchingTopPLogitsWarper,
)
from transformers.generation.logits_process import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from components.shared.generation import Parameters

#: Temperature that counts as 0: below it, differences of bfloat16 logits are far above any noise.
COLD = 1e-5

#: Seeds that fit the 32 bits a request may pass to a processor; the one that stands for no noise at all.
SEEDS, GREEDY = 2**31, -1


def settings(parameters: Parameters, seed: int) -> dict[str, Any]:
    """What a request passes to the processors.

    Args:
        parameters: How the request wants to be answered.
        seed: Where its noise begins.
    """
    if parameters.temperature <= COLD:
        return {"temperature": 1.0, "top_p": 1.0, "seed": GREEDY}
    warmth, share = float(parameters.temperature), float(parameters.top_p)
    return {"temperature": warmth, "top_p": share, "seed": seed % SEEDS}


def seed_at(seed: int, position: int) -> int:
    """A seed for one token of one request."""
    if seed == GREEDY:
        return GREEDY
    mixed = hashlib.blake2b(f"{seed}/{position}".encode(), digest_size=4).digest()
    return int.from_bytes(mixed) % SEEDS


class Temperature(ContinuousBatchingTemperatureLogitsWarper):
    """Temperature for a batch in which somebody asks for one."""

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores `[rows, vocabulary]`, divided by each row's temperature."""
        if bool((tensor_arg[: scores.size(0)].view(torch.float32) == 1).all()):
            return scores
        divided: torch.Tensor = super().__call__(scores, tensor_arg)
        return divided


class TopP(ContinuousBatchingTopPLogitsWarper):
    """Nucleus sampling for the rows that ask for it."""

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores `[rows, vocabulary]`, tokens outside the nucleus at minus infinity."""
        shares = tensor_arg[: scores.size(0)].view(torch.float32)
        for row in (shares < 1).nonzero()[:, 0].tolist():
            one = slice(row, row + 1)
            scores[one] = super().__call__(scores[one], tensor_arg[one])
        return scores


class SeededChoice(ContinuousBatchingLogitsProcessor):
    """Adds Gumbel noise drawn by the request's seed to its logits; the largest sum is the token drawn."""

    def __init__(self) -> None:
        self.supported_kwargs = {"seed": int}
        self.ignored_kwargs = ()

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """No noise where no request says otherwise."""
        int32_tensor.fill_(GREEDY)

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """One seed a row, by the request's own seed and how many tokens it has."""
        seeds = [
            seed_at(one.state.logit_processor_kwargs.get("seed", GREEDY), len(one.state.generated_tokens))
            for one in requests_with_new_token
        ]
        return torch.tensor(seeds, dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores `[rows, vocabulary]` with the noise of each row that asks for some."""
        generator = torch.Generator(device=scores.device)
        for row, seed in enumerate(tensor_arg[: scores.size(0)].tolist()):
            if seed != GREEDY:
                generator.manual_seed(seed)
                # A uniform number u gives Gumbel noise as -log(-log(u)); 0 gives minus infinity.
                noise = torch.rand(scores.size(1), generator=generator, device=scores.device)
                scores[row] -= noise.log_().neg_().log_()
        return scores


def install(manager: Any) -> None:
    """Make a batching manager choose tokens as each request asks; call it before the manager starts."""
    steps: list[Any] = [
        Temperature(TemperatureLogitsWarper(1.0)),
        TopP(TopPLogitsWarper(1.0)),
        SeededChoice(),
    ]
    processors = manager.logit_processor
    processors.clear()
    processors.logits_processor = LogitsProcessorList(steps)
    processors.tensors_required = len(steps)
    for one in steps:
        processors.supported_keys.update(one.supported_kwargs)
    processors.do_processing = True
