"""Packed weights answer as the plain ones do."""

import threading
from typing import Any

import pytest
import torch

from components.adapters.foundation.packed import CALM, FEW, THREADS, Packed, Part, calm, pack


class Gated(torch.nn.Module):
    """Two layers over the same rows, and one over what they give, named as in a Llama."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.gate_proj = torch.nn.Linear(96, 160, bias=bias)
        self.up_proj = torch.nn.Linear(96, 160, bias=bias)
        self.down_proj = torch.nn.Linear(160, 64, bias=bias)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.down_proj(self.gate_proj(input_ids) * self.up_proj(input_ids))
        return made


def layers(bias: bool = True, dtype: torch.dtype = torch.bfloat16) -> Gated:
    torch.manual_seed(0)
    return Gated(bias).to(dtype)


def supported() -> bool:
    return isinstance(pack(layers()).down_proj, Packed)


def kernels_for_few() -> bool:
    return supported() and pack(layers(), threads=1).down_proj.few


def asked(*rows: int) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(*rows, 96, dtype=torch.bfloat16)


needs_kernels = pytest.mark.skipif(not supported(), reason="no bfloat16 kernels here, so nothing is packed")
needs_fbgemm = pytest.mark.skipif(not kernels_for_few(), reason="no FBGEMM here, so few rows are as many are")


@needs_kernels
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [(1,), (1, 1), (8,), (2, 33)])
def test_answers_are_equal_to_the_bit(rows: tuple[int, ...], bias: bool) -> None:
    with torch.inference_mode():
        assert torch.equal(pack(layers(bias))(asked(*rows)), layers(bias)(asked(*rows)))


@needs_fbgemm
@pytest.mark.parametrize("bias", [True, False])
def test_few_rows_are_equal_up_to_the_last_digit_and_more_to_the_bit(bias: bool) -> None:
    model, plain = pack(layers(bias), threads=1), layers(bias)
    with torch.inference_mode():
        torch.testing.assert_close(model(asked(FEW)), plain(asked(FEW)), rtol=2**-7, atol=2**-9)
        assert torch.equal(model(asked(FEW + 1)), plain(asked(FEW + 1)))


@needs_fbgemm
def test_a_row_among_few_is_what_it_is_alone() -> None:
    model, rows = pack(layers(), threads=1), asked(FEW)
    with torch.inference_mode():
        assert torch.equal(model(rows), torch.cat([model(one) for one in rows.split(1)]))


@needs_fbgemm
def test_numbers_beyond_float16_stay_in_bfloat16() -> None:
    model = layers()
    with torch.no_grad():
        model.down_proj.weight[0, 0] = 1e6
    packed = pack(model, threads=1)
    assert not packed.down_proj.few
    assert packed.gate_proj.few


@needs_kernels
def test_a_machine_of_many_threads_has_one_layout() -> None:
    assert not pack(layers(), threads=THREADS + 1).down_proj.few


@needs_kernels
def test_other_rows_never_get_the_product_of_the_last() -> None:
    model = pack(layers())
    plain = layers()
    first, second = asked(3), asked(3) + 1
    with torch.inference_mode():
        # Whoever asks in another order, or leaves a layer out, only computes more.
        assert torch.equal(model.gate_proj(first), plain.gate_proj(first))
        assert torch.equal(model.up_proj(second), plain.up_proj(second))
        assert torch.equal(model.gate_proj(second), plain.gate_proj(second))


@needs_kernels
def test_nothing_of_a_pass_is_kept() -> None:
    model = pack(layers())
    with torch.inference_mode():
        model(asked(3))
    assert isinstance(model.gate_proj, Part)
    assert model.gate_proj._joint._last is None


def test_other_precisions_stay_as_they_are() -> None:
    model = pack(layers(dtype=torch.float32))
    assert not any(isinstance(one, Packed | Part) for one in model.modules())


def test_layers_that_do_not_fit_together_are_packed_apart() -> None:
    model = torch.nn.ModuleDict(
        {"gate_proj": torch.nn.Linear(8, 4, bias=False), "up_proj": torch.nn.Linear(8, 4)}
    )
    model.to(torch.bfloat16)
    assert not any(isinstance(one, Part) for one in pack(model).modules())


def test_embeddings_that_share_their_weights_with_the_head_stay() -> None:
    model: Any = torch.nn.ModuleDict(
        {"words": torch.nn.Embedding(10, 8), "head": torch.nn.Linear(8, 10, bias=False)}
    )
    model.to(torch.bfloat16)
    model["head"].weight = model["words"].weight
    before = model["words"].weight.clone()
    assert torch.equal(pack(model)["words"](torch.arange(10)), before)


class Writer(Gated):
    """A model that is asked with as many rows as it has words, and says on how many threads."""

    def forward(self, input_ids: torch.Tensor) -> Any:
        super().forward(asked(input_ids.numel()))
        return torch.get_num_threads()


@needs_fbgemm
def test_a_pass_of_few_rows_runs_on_one_thread_and_only_in_its_own() -> None:
    writer: Any = pack(Writer(False).to(torch.bfloat16), threads=2)
    before, seen = torch.get_num_threads(), list[int]()
    calm(writer)

    def write() -> None:
        with torch.inference_mode():
            seen.extend(writer(input_ids=torch.zeros(1, count)) for count in (CALM + 1, CALM, CALM + 1))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert seen == [before, 1, before]
    assert torch.get_num_threads() == before
