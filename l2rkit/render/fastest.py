"""The default rasterizer: Numba's on CPUs; elsewhere the one that measures quicker, once."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from .grid import rasterize_grid
from .triangles import rasterize_torch

_chosen: dict[tuple, Callable] = {}


def rasterize_fastest(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: as `rasterize_grid`.

    For points on another device than the CPU, `rasterize_torch` there and the round trip through
    `rasterize_grid` are timed at the first call for a shape, and the quicker one is kept.
    """
    if points.device.type == "cpu":
        return rasterize_grid(points, size, skip)
    key = points.device, tuple(points.shape), size
    if key not in _chosen:
        _chosen[key] = quickest((rasterize_torch, rasterize_grid), points, size, skip)
    return _chosen[key](points, size, skip)


def quickest(rasterizers: tuple[Callable, ...], *arguments: object) -> Callable:
    """Which of the rasterizers takes least time on these arguments, the first call not counted."""

    def seconds(rasterize: Callable) -> float:
        rasterize(*arguments).amax().item()
        start = time.perf_counter()
        rasterize(*arguments).amax().item()  # the number must have arrived before the clock is read
        return time.perf_counter() - start

    with torch.no_grad():
        return min(rasterizers, key=seconds)
