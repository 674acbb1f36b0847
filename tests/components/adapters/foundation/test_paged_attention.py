"""Attention over the paged cache, in transformers' own continuous batching, with a tiny model."""

from typing import Any

import pytest
import torch
from transformers import (
    ContinuousBatchingConfig,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from components.adapters.foundation import paged_attention

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "initializer_range": 0.2,
}

#: Within one block of 256 tokens, over two, and over three in several passes.
LENGTHS = (3, 300, 600)

GREEDY = GenerationConfig(do_sample=False, max_new_tokens=12, eos_token_id=None, pad_token_id=0)


def model() -> Any:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SIZES)).eval()


def prompts() -> list[list[int]]:
    torch.manual_seed(2)
    return [torch.randint(1, 64, (length,)).tolist() for length in LENGTHS]


def batched(batching: Any, asked: list[list[int]]) -> list[list[int]]:
    """Answers of a batch, in the order of the prompts."""
    settings = ContinuousBatchingConfig(num_blocks=16, max_batch_tokens=128, allow_block_sharing=False)
    manager = batching.init_continuous_batching(generation_config=GREEDY, continuous_batching_config=settings)
    assert paged_attention.install(batching)
    names = [manager.add_request(one, max_new_tokens=GREEDY.max_new_tokens) for one in asked]
    manager.start()
    try:
        found: dict[str, list[int]] = {}
        while len(found) < len(asked):
            made = manager.get_result(timeout=60)
            assert made is not None
            assert not made.error
            found[made.request_id] = made.generated_tokens
        return [found[name] for name in names]
    finally:
        manager.stop(block=True, timeout=5)


@pytest.mark.parametrize("asked", [prompts()[:1], prompts()[1:2], prompts()[2:], prompts()])
def test_a_batch_is_answered_as_each_prompt_is_by_generate(asked: list[list[int]]) -> None:
    plain = model()
    expected = [
        plain.generate(torch.tensor([one]), generation_config=GREEDY)[0, len(one) :].tolist() for one in asked
    ]
    assert len({tuple(one) for one in expected}) == len(asked), "the model tells prompts apart"
    assert batched(model(), asked) == expected


def test_a_model_with_a_sliding_window_keeps_transformers_attention() -> None:
    made: Any = MistralForCausalLM(MistralConfig(**SIZES, sliding_window=64))
    before = made.config._attn_implementation
    assert not paged_attention.install(made)
    assert made.config._attn_implementation == before
