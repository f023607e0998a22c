"""The default rasterizer: Numba's on CPUs, Triton's on GPUs where Triton runs, else torch's.

The choice is by a fixed rule. A choice by measured time would vary between runs, and so would the
last bits of results.
"""

import torch
from torch import Tensor

from .grid import rasterize_grid
from .triangles import rasterize_torch
from .triton import rasterize_triton, triton_draws
from .warp import Rasterizer


def rasterize_fastest(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the result of `rasterize_grid`, by the rasterizer for the device."""
    return rasterizer_for(points.device)(points, size, skip)


def rasterizer_for(device: torch.device) -> Rasterizer:
    """The rasterizer that `rasterize_fastest` takes for points on this device."""
    if device.type == "cpu":
        return rasterize_grid
    return rasterize_triton if triton_draws(device) else rasterize_torch
