"""Rasterizes grid meshes in torch alone, on any device, as `rasterize_grid` does."""

import itertools

import torch
from torch import Tensor

from .grid import EDGE, check_grid

CANDIDATES = 2**18  # pairs of triangle and pixel per chunk: about 50 MB


def rasterize_torch(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the nearest triangle at each pixel centre, or -1.

    Arguments, numbering and rules are those of `rasterize_grid`. Each triangle is tested on the
    pixels of its bounding box, so work grows with the covered pixels. `CANDIDATES` bounds memory
    for any batch.
    """
    check_grid("rasterize_torch", points, size, skip)
    exact = torch.float32 if points.device.type == "mps" else torch.float64  # MPS has no float64
    batch, height, width, _ = points.shape
    face = points.new_full((batch * size * size,), -1, dtype=torch.int32)
    corners, triangle = _triangles(points.detach().to(torch.float32), skip, size)
    if len(triangle):
        box, planes = _boxes(corners, size), _planes(corners.to(exact))
        cells = 2 * (height - 1) * (width - 1)
        item = torch.div(triangle, cells, rounding_mode="floor")
        first, index = item * size * size, (triangle - item * cells).to(torch.int32)
        nearness = torch.zeros_like(face, dtype=torch.float32)
        for some in _chunks(box[2] * box[3]):
            parts = box[:, some], planes[..., some], first[some], index[some]
            _draw(*parts, size, nearness, face)
    return face.view(batch, size, size)


def _triangles(points: Tensor, skip: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """The corners and indices (N,) in the batch of the triangles that may be visible.

    Corners (3, 3, N): by corner, then column, row and depth.
    """
    points = points.permute(3, 0, 1, 2)
    p, q = points[..., :-1, :-1], points[..., :-1, 1:]
    r, s = points[..., 1:, :-1], points[..., 1:, 1:]
    pairs = torch.stack([p, q], -1), torch.stack([r, r], -1), torch.stack([q, s], -1)
    corners = torch.stack(pairs).flatten(2)
    low, high = corners.amin(0), corners.amax(0)
    shows = (low > -torch.inf).all(0) & (high < torch.inf).all(0) & (low[2] > 0)
    shows &= (high[:2] > -1).all(0) & (low[:2] < size).all(0)
    if skip is not None:
        shows &= ~skip.flatten()
    triangle = shows.nonzero(as_tuple=True)[0]
    return corners.index_select(2, triangle), triangle


def _boxes(corners: Tensor, size: int) -> Tensor:
    """(4, N) int64: first column, first row, columns, rows of the pixels that may be inside."""
    low = (corners[:, :2].amin(0) - EDGE).ceil().clamp(0, size)
    high = (corners[:, :2].amax(0) + EDGE).floor().clamp(-1, size - 1)
    return torch.cat([low, (high - low + 1).clamp(min=0)]).long()


def _planes(corners: Tensor) -> Tensor:
    """(3, 3, N): two barycentric weights and 1/z, each as the factors of 1, column and row.

    NaN for triangles without area.
    """
    (px, py, pz), (qx, qy, qz), (rx, ry, rz) = corners
    area = (qx - px) * (ry - py) - (qy - py) * (rx - px)
    area = torch.where(area.abs() < 1e-12, torch.nan, area)
    a = torch.stack([qx * ry - rx * qy, qy - ry, rx - qx]) / area
    b = torch.stack([rx * py - px * ry, ry - py, px - rx]) / area
    c = torch.cat([1 - a[:1] - b[:1], -a[1:] - b[1:]])
    return torch.stack([a, b, a / pz + b / qz + c / rz])


def _chunks(counts: Tensor) -> list[slice]:
    """Runs of triangles with at most `CANDIDATES` pixels in all, or of one triangle."""
    bins = (counts.cumsum(0) - 1).clamp(min=0) // CANDIDATES
    lengths = torch.unique_consecutive(bins, return_counts=True)[1].tolist()
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    return [slice(start, end) for start, end in itertools.pairwise(starts)]


def _draw(
    box: Tensor,
    planes: Tensor,
    first: Tensor,
    index: Tensor,
    size: int,
    nearness: Tensor,
    face: Tensor,
) -> None:
    """Claims pixels for triangles that are nearer than what `nearness` holds, in place."""
    counts = box[2] * box[3]
    which = torch.repeat_interleave(counts)
    if not len(which):
        return
    offset = torch.arange(len(which), device=box.device) - (counts.cumsum(0) - counts)[which]
    left, top, width = box[:3].index_select(1, which)
    row = torch.div(offset, width, rounding_mode="floor")
    x, y = left + offset - row * width, top + row
    a, b = (f[0] + f[1] * x + f[2] * y for f in planes[:2].index_select(2, which))
    inside = ((a >= -EDGE) & (b >= -EDGE) & (a + b <= 1 + EDGE)).nonzero(as_tuple=True)[0]
    x, y, which = x[inside], y[inside], which[inside]
    f = planes[2].index_select(1, which)
    near = (f[0] + f[1] * x + f[2] * y).float()
    pixel = first[which] + y * size + x
    before = nearness[pixel]
    nearness.scatter_reduce_(0, pixel, near, "amax")
    won = (near > before) & (near == nearness[pixel])
    none = torch.iinfo(torch.int32).max
    claimed = torch.full_like(face, none)
    claimed.scatter_reduce_(0, pixel[won], index[which[won]], "amin")
    torch.where(claimed < none, claimed, face, out=face)
