"""8-bit quantization of weights, for shipped files. Ours.

Each row of a matrix or convolution (the weights of one output) has its own scale, so that its
largest absolute value is 127. Tensors of one dimension, such as biases, are kept in 16 bits, or in
32 if they are too large.
"""

import torch
from torch import Tensor

from ..errors import WeightsError

SCALE = ":scale"  # suffix of a tensor's name; module names have no colon
TOP = 127


def quantize(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in 8 bits, each with its row scales (rows,) under `NAME:scale`.

    The error is at most half a step, 1/254 of the row's largest absolute value. Integers do not
    change.
    """
    small = {}
    for name, value in state.items():
        if not value.is_floating_point():
            small[name] = value
        elif value.dim() < 2 or not value.numel():
            small[name] = halved(value)
        else:
            scale = (value.float().flatten(1).abs().amax(1) / TOP).clamp(min=1e-30)
            small[name] = (value.float() / _beside(scale, value)).round().to(torch.int8)
            small[name + SCALE] = scale
    return small


def halved(value: Tensor) -> Tensor:
    """The tensor in 16 bits, or in 32 if a value is too large for these."""
    half = value.half()
    return value.float() if (half.isinf() & value.isfinite()).any() else half


def dequantize(state: dict[str, Tensor], file: object = "the state") -> dict[str, Tensor]:
    """Quantized tensors as floats; tensors without a scale unchanged.

    Raises:
        WeightsError: a scale does not have one number per row; `file` is named in the message.
    """
    values = dict(state)
    for name in state:
        of = name.removesuffix(SCALE)
        if of != name and of in state:
            got, rows = tuple(state[name].shape), tuple(state[of].shape[:1])
            if got != rows:
                raise WeightsError(f"{file} was refused: '{name}' is {got}, not {rows}")
            values[of] = state[of].float() * _beside(values.pop(name), state[of])
    return values


def _beside(scale: Tensor, value: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (value.dim() - 1))
