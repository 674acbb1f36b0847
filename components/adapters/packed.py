"""Weights of a model that only answers, laid out for the matrix kernels of a CPU.

PyTorch hands a bfloat16 product to oneDNN, which wants the weights in blocks and brings a plain matrix into
blocks anew for every product: most of the work when a pass holds one token. Laid out once, the same kernel
reads the same numbers, and answers are equal to the bit.
"""

from typing import Any

import torch


class Packed(torch.nn.Module):
    """A linear layer without gradient on a CPU."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        # Opaque to PyTorch: it can neither be moved nor saved, so it is no parameter.
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach())
        self._bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Products of rows `[..., inputs]`, shape `[..., outputs]`."""
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self._weight, self._bias, "none", [], ""
        )
        return made


def pack(model: Any) -> Any:
    """The model with every bfloat16 linear layer packed, where this CPU has kernels for it; else as it was.

    It can be asked afterwards, but not trained, moved or saved.
    """
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return model
    for parent in list(model.modules()):
        for name, layer in parent.named_children():
            if (
                type(layer) is torch.nn.Linear
                and layer.weight.dtype == torch.bfloat16
                and layer.weight.is_cpu
            ):
                setattr(parent, name, Packed(layer))
    return model
