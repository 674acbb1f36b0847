"""Packed weights answer as the plain ones do."""

import pytest
import torch

from components.adapters.packed import Packed, pack


def layers(dtype: torch.dtype = torch.bfloat16) -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(96, 160), torch.nn.SiLU(), torch.nn.Linear(160, 64, bias=False)
    ).to(dtype)


def supported() -> bool:
    return isinstance(pack(layers())[0], Packed)


@pytest.mark.parametrize("rows", [(1,), (1, 1), (8,), (2, 33)])
def test_answers_are_equal_to_the_bit(rows: tuple[int, ...]) -> None:
    if not supported():
        pytest.skip("this CPU has no bfloat16 kernels, so nothing is packed")
    asked = torch.randn(*rows, 96, dtype=torch.bfloat16)
    with torch.inference_mode():
        assert torch.equal(pack(layers())(asked), layers()(asked))


def test_other_precisions_stay_as_they_are() -> None:
    model = pack(layers(torch.float32))
    assert not any(isinstance(one, Packed) for one in model.modules())


def test_embeddings_that_share_their_weights_with_the_head_stay() -> None:
    model = torch.nn.ModuleDict(
        {"words": torch.nn.Embedding(10, 8), "head": torch.nn.Linear(8, 10, bias=False)}
    )
    model.to(torch.bfloat16)
    model["head"].weight = model["words"].weight
    before = model["words"].weight.clone()
    assert torch.equal(pack(model)["words"](torch.arange(10)), before)
