"""Weights in 8 bits a number, for files that are shipped. Ours.

Each row of a matrix or convolution, all that leads to one output, gets a scale: its largest number
is 127. What has one dimension, offsets and the like, is kept in 16 bits.
"""

import torch
from torch import Tensor

from ..errors import WeightsError

SCALE = ":scale"  # after the name of a tensor; no module's name may hold a colon
TOP = 127


def quantize(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in 8 bits, beside each, as `NAME:scale`, a scale for each of its rows.

    An error is at most half a step, 1/254 of the largest number of the row.
    """
    small = {}
    for name, value in state.items():
        if not value.is_floating_point():
            small[name] = value
        elif value.dim() < 2 or not value.numel():
            small[name] = value.half()
        else:
            scale = (value.float().flatten(1).abs().amax(1) / TOP).clamp(min=1e-30)
            small[name] = (value.float() / _beside(scale, value)).round().to(torch.int8)
            small[name + SCALE] = scale
    return small


def dequantize(state: dict[str, Tensor], file: object = "the state") -> dict[str, Tensor]:
    """The tensors as floats again; those that have no scale as they are.

    Raises:
        WeightsError: a scale of the `file` has not one number for each row.
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
