"""A Llama of two layers, and its folder."""

from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM


def tiny() -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.3,  # the head is not trained: with the usual 0.02 it could say nothing clearly
    )
    return LlamaForCausalLM(config).eval()


TEMPLATE = (
    "{% for one in messages %}{{ one['role'] }} {{ one['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


def base(folder: Path) -> Path:
    """A Llama of two layers with its tokenizer, as a folder of safetensors."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({f"{number}": number for number in range(97)}, unk_token="1"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, unk_token="1", pad_token="0", eos_token="0")
    wrapped.chat_template = TEMPLATE
    wrapped.save_pretrained(folder)
    tiny().save_pretrained(folder)
    return folder
