"""Rasterizes grid meshes: a z-buffer for depth maps.

A depth map is a mesh of two triangles per cell of its pixel grid, so corners need no index buffer
and a triangle covers few pixels. The kernel returns only the nearest triangle of each pixel;
`l2rkit.render.warp` computes depth and gradients from it in torch.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..ops.compiled import compiled
from ..ops.threads import at_fork

# A pixel this share of a triangle outside an edge still counts as inside: a vertex that an unmoved
# grid puts on a pixel centre may miss it by float32 rounding.
EDGE = 1e-4


def rasterize_grid(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the nearest triangle at each pixel centre, or -1.

    points (B, H, W, 3) are column and row in pixels, and depth. The triangle of cell (row, col) is
    2 * (row * (W - 1) + col) with the corners (r, c), (r + 1, c), (r, c + 1), and that plus 1 with
    (r, c + 1), (r + 1, c), (r + 1, c + 1). Both sides of a triangle are visible. Triangles are left
    out if a corner is behind the camera or not finite, if they have no area, or if they are true in
    `skip` (B, 2 * (H - 1) * (W - 1)). The first of equally near triangles wins.
    """
    check_grid("rasterize_grid", points, size, skip)
    grid = points.detach().to("cpu", torch.float32).contiguous().numpy()
    hidden = np.zeros((len(grid), 0), bool) if skip is None else skip.cpu().numpy()
    face = np.empty((len(grid), size, size), np.int32)
    parts = min(torch.get_num_threads(), len(grid))
    if parts > 1:
        arrays = (np.array_split(array, parts) for array in (grid, hidden, face))
        list(_pool().map(_nearest_triangles, *arrays))
    else:
        _nearest_triangles(grid, hidden, face)
    return torch.from_numpy(face).to(points.device)


def check_grid(name: str, points: Tensor, size: int, skip: Tensor | None) -> None:
    """Raises ValueError, naming the rasterizer, for arguments of a wrong shape, size or dtype."""
    if points.dim() != 4 or points.shape[-1] != 3:
        raise ValueError(f"{name} expects points (B, H, W, 3), not {tuple(points.shape)}")
    if size < 1:
        raise ValueError(f"{name} expects a size of at least 1 pixel, not {size}")
    batch, height, width, _ = points.shape
    cells = max(height - 1, 0) * max(width - 1, 0)
    if skip is not None and (skip.dtype != torch.bool or skip.shape != (batch, 2 * cells)):
        got = f"{tuple(skip.shape)} of {skip.dtype}"
        raise ValueError(f"{name} expects skip ({batch}, {2 * cells}) of torch.bool, not {got}")


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Threads for the kernel. Numba's own threads abort or hang after a fork."""
    return ThreadPoolExecutor(os.cpu_count(), "rasterize")


at_fork(after_in_child=_pool.cache_clear)  # a fork has none of these threads


@compiled(nogil=True)
def _nearest_triangles(points: np.ndarray, hidden: np.ndarray, face: np.ndarray) -> None:
    batch, height, width, _ = points.shape
    for b in range(batch):
        nearness = np.zeros(face.shape[1:], np.float32)
        face[b] = -1
        for row in range(height - 1):
            for col in range(width - 1):
                first = 2 * (row * (width - 1) + col)
                p, q = points[b, row, col], points[b, row, col + 1]
                r, s = points[b, row + 1, col], points[b, row + 1, col + 1]
                if hidden.shape[1] == 0 or not hidden[b, first]:
                    _draw(p, r, q, first, face[b], nearness)
                if hidden.shape[1] == 0 or not hidden[b, first + 1]:
                    _draw(q, r, s, first + 1, face[b], nearness)


@compiled(inline="always")
def _draw(p, q, r, index, face, nearness):
    """Claims for triangle `index` the pixels at which it is nearer than what `nearness` holds."""
    if not (0 < p[2] < np.inf and 0 < q[2] < np.inf and 0 < r[2] < np.inf):  # also false for NaN
        return
    left, right = min(p[0], q[0], r[0]), max(p[0], q[0], r[0])
    top, bottom = min(p[1], q[1], r[1]), max(p[1], q[1], r[1])
    size = face.shape[0]
    if not (right > -1 and left < size and bottom > -1 and top < size):
        return
    area = _cross(p, q, r[0], r[1])
    if not 1e-12 <= abs(area) < np.inf:  # a corner at infinity gives inf or NaN
        return
    # Clamped before the conversion to integers, which a far corner would overflow.
    first_y, last_y = int(max(0, np.ceil(top - EDGE))), int(min(size - 1, bottom + EDGE))
    first_x, last_x = int(max(0, np.ceil(left - EDGE))), int(min(size - 1, right + EDGE))
    for y in range(first_y, last_y + 1):
        for x in range(first_x, last_x + 1):
            a = _cross(q, r, x, y) / area
            b = _cross(r, p, x, y) / area
            c = 1 - a - b
            if a >= -EDGE and b >= -EDGE and c >= -EDGE:
                near = np.float32(a / p[2] + b / q[2] + c / r[2])
                if near > nearness[y, x]:
                    nearness[y, x] = near
                    face[y, x] = index


@compiled(inline="always")
def _cross(p, q, x, y):
    """Twice the signed area of the triangle from p over q to (x, y), in float64."""
    px, py = np.float64(p[0]), np.float64(p[1])
    return (q[0] - px) * (y - py) - (q[1] - py) * (x - px)
