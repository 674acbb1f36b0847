"""Weights of a model that only answers, laid out for the matrix kernels of a CPU.

PyTorch hands a bfloat16 product to oneDNN, which wants the weights in blocks and brings a plain matrix into
blocks anew for every product: most of the work when a pass holds one token. Laid out once, the same kernel
reads the same numbers, and answers are equal to the bit.

A pass of few rows waits for memory, which oneDNN's kernel reads at half the speed that one core can. FBGEMM's
kernel for float16 weights comes near it, and one thread that never waits for another is as fast as two that
do. So a small model that writes holds its weights in both layouts.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

#: Rows up to which FBGEMM on one thread is no slower than oneDNN on two (measured: equal at 4).
FEW = 4

#: Rows up to which a pass of a small model on one thread is as fast as on two: what a second thread saves in
#: products it loses at some hundred barriers.
CALM = 8

#: Bytes of bfloat16 weights up to which a second layout is worth its memory (FBGEMM fills blocks of 512
#: inputs up, so it takes up to twice as much), and threads up to which one reads most of what all could.
SMALL, THREADS = 1 << 30, 4

#: Largest number of float16. A bfloat16 weight has fewer digits than a float16 one, so within this range
#: only those below 6e-5 are rounded, by 3e-8 at most.
LARGEST = 65504.0

#: Layers that read the same rows are one product.
TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))


class Packed(torch.nn.Module):
    """Linear layers over the same rows, without gradient, on a CPU: one product, outputs side by side.

    Args:
        layers: Layers with equally many inputs; all of them have a bias, or none.
        few: Whether few rows are computed from float16 weights.
    """

    def __init__(self, layers: Sequence[torch.nn.Linear], *, few: bool = False) -> None:
        super().__init__()
        weight = _joined([layer.weight for layer in layers])
        self._bias = None if layers[0].bias is None else _joined([layer.bias for layer in layers])
        # Opaque to PyTorch: they can neither be moved nor saved, so they are no parameters.
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight)
        self._few: Any = None
        if few and weight.abs().max() <= LARGEST:
            bias = None if self._bias is None else self._bias.float()
            self._few = torch.ops.quantized.linear_prepack_fp16(weight.float(), bias)

    @property
    def few(self) -> bool:
        """Whether few rows have a kernel of their own."""
        return self._few is not None

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Products of rows `[..., inputs]`, shape `[..., outputs]`."""
        made: torch.Tensor
        if self._few is not None and rows.shape[:-1].numel() <= FEW:
            made = torch.ops.quantized.linear_dynamic_fp16(rows.float(), self._few).to(rows.dtype)
        else:
            made = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, "none", [], "")
        return made


class Joint:
    """One product for layers that are asked one after the other with the same rows."""

    def __init__(self, layers: Sequence[torch.nn.Linear], *, few: bool) -> None:
        self._packed = Packed(layers, few=few)
        self._last: tuple[torch.Tensor, torch.Tensor] | None = None

    def product(self, rows: torch.Tensor, *, last: bool) -> torch.Tensor:
        """Outputs of all layers for rows.

        Args:
            rows: What a layer is asked with; the very same tensor is multiplied once.
            last: Whether nobody else will ask for these rows, so that nothing has to be kept.
        """
        known = self._last
        if known is None or known[0] is not rows:
            known = (rows, self._packed(rows))
        self._last = None if last else known
        return known[1]


class Part(torch.nn.Module):
    """One layer of a joint product.

    Args:
        joint: The product.
        start: First of this layer's outputs.
        size: How many there are.
        last: Whether the model asks this layer last.
    """

    def __init__(self, joint: Joint, start: int, size: int, *, last: bool) -> None:
        super().__init__()
        self._joint, self._start, self._size, self._is_last = joint, start, size, last

    @property
    def few(self) -> bool:
        """Whether few rows have a kernel of their own."""
        return self._joint._packed.few

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Products of rows `[..., inputs]`, shape `[..., outputs]`."""
        return self._joint.product(rows, last=self._is_last).narrow(-1, self._start, self._size)


def pack(model: Any, *, threads: int = 0) -> Any:
    """The model with every bfloat16 linear layer packed, where this CPU has kernels for it; else as it was.

    It can be asked afterwards, but not trained, moved or saved.

    Args:
        model: A model.
        threads: Threads of a pass of a model that writes token by token; if these are few and the model is
            small, it gets kernels for few rows.
    """
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return model
    few = 0 < threads <= THREADS and _small(model)
    for parent in list(model.modules()):
        for names in TOGETHER:
            layers = [getattr(parent, name, None) for name in names]
            if all(_packable(layer) for layer in layers):
                _join(parent, names, layers, few)
        for name, layer in parent.named_children():
            if _packable(layer):
                setattr(parent, name, Packed([layer], few=few))
    return model


def calm(model: Any) -> Callable[[], None]:
    """Let a packed model's passes of few rows run on one thread, and others on as many as now.

    The number of threads is one of the calling thread: passes of other threads keep theirs.

    Returns:
        What undoes it.
    """
    if not any(isinstance(one, Packed | Part) and one.few for one in model.modules()):
        return lambda: None
    many = torch.get_num_threads()

    def choose(_: Any, __: Any, words: dict[str, Any]) -> None:
        torch.set_num_threads(1 if words["input_ids"].numel() <= CALM else many)

    undo: Callable[[], None] = model.register_forward_pre_hook(choose, with_kwargs=True).remove
    return undo


def _joined(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return tensors[0].detach() if len(tensors) == 1 else torch.cat([one.detach() for one in tensors])


def _packable(layer: object) -> bool:
    return type(layer) is torch.nn.Linear and layer.weight.dtype == torch.bfloat16 and layer.weight.is_cpu


def _small(model: Any) -> bool:
    size = sum(layer.weight.nbytes for layer in model.modules() if _packable(layer))
    return size <= SMALL and torch.backends.quantized.engine in ("x86", "fbgemm")


def _join(parent: Any, names: Sequence[str], layers: Sequence[Any], few: bool) -> None:
    if len({layer.in_features for layer in layers}) > 1 or len({layer.bias is None for layer in layers}) > 1:
        return
    joint, start = Joint(layers, few=few), 0
    for name, layer in zip(names, layers, strict=True):
        setattr(parent, name, Part(joint, start, layer.out_features, last=name == names[-1]))
        start += layer.out_features
