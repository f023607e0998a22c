"""Warps between canonical maps and the photo's view: depth by rasterizing, colour by sampling.

Only depth is rendered as a mesh; colours come from an inverse warp, as gradients of rendered
textures are noisy (Unsup3D: Wu et al., CVPR 2020, section 3.2). Pixel centres are at integers in
both directions, so an unmoved face is reproduced exactly.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, normalize
from torch.utils.checkpoint import checkpoint

from ..geometry import cross, move, move_back, normals, project, rotation, unproject
from ..structures import BACKGROUND, NEAR, Face

# Points (B, H, W, 3), size, triangles to skip or None → the triangle at each pixel.
Rasterizer = Callable[[Tensor, int, Tensor | None], Tensor]

CLOSEST = NEAR - 0.1  # nothing is rendered nearer to the camera than this


def warp_depth(
    depth: Tensor,
    view: Tensor,
    size: int,
    rasterize: Rasterizer,
    supersample: int = 1,
    skip: Tensor | None = None,
) -> Tensor:
    """(B, 1, size, size): canonical `depth` (B, 1, H, W) seen from `view` (B, 6).

    Pixels without a surface have `BACKGROUND`. Gradients reach depth and view through the covered
    pixels. With `supersample` k, at k by k points of each pixel: (B, 1, k size, k size). Triangles
    that are true in `skip` (see `rasterize_grid`) leave holes. Unsup3D's `warp_canon_depth`.
    """
    column, row, z = project(move(unproject(depth), view), size).unbind(1)
    fine = (supersample - 1) / 2
    points = torch.stack([column * supersample + fine, row * supersample + fine, z], 1)
    face = rasterize(points.permute(0, 2, 3, 1), size * supersample, skip)
    # recomputed in the backward pass to save memory
    depth = checkpoint(depth_of_faces, points, face, use_reentrant=False, preserve_rng_state=False)
    return depth.clamp(CLOSEST, BACKGROUND)


def depth_of_faces(points: Tensor, face: Tensor) -> Tensor:
    """(B, 1, S, S): perspective-correct depth, 1 / sum(w / z), at the centres of covered pixels.

    points (B, 3, H, W) are column, row, depth; face (B, S, S) as `rasterize_grid` gives it.
    `BACKGROUND` where face is -1. On a CPU only covered pixels are computed, which is less work. On
    other devices all are, as the host would wait for the number of covered ones. Both give the same
    bits.
    """
    return (_of_covered if face.device.type == "cpu" else _of_all)(points, face)


def _of_covered(points: Tensor, face: Tensor) -> Tensor:
    item, y, x = (face >= 0).nonzero(as_tuple=True)
    corners = [c.unbind(1) for c in _corners(points, item, face[item, y, x])]
    empty = points.new_full(face.shape, BACKGROUND)
    return empty.index_put((item, y, x), _depth_within(corners, x, y))[:, None]


def _of_all(points: Tensor, face: Tensor) -> Tensor:
    batch, size = len(face), face.shape[-1]
    x = torch.arange(size, device=face.device)
    item, y = torch.arange(batch, device=face.device)[:, None, None], x[:, None]
    # Empty pixels read different triangles, so that their gradients, which are 0, are not all added
    # to one vertex. The values that they read may be NaN and are not used.
    empty, triangles = face < 0, 2 * (points.shape[-2] - 1) * (points.shape[-1] - 1)
    face = torch.where(empty, ((y * size + x) % max(triangles, 1)).to(face.dtype), face)
    corners = [c.masked_fill(empty[..., None], 1).unbind(-1) for c in _corners(points, item, face)]
    return _depth_within(corners, x, y, empty).masked_fill(empty, BACKGROUND)[:, None]


def _corners(points: Tensor, item: Tensor, face: Tensor) -> list[Tensor]:
    """Three of (..., 3): the corners of triangles `face` (...) in the meshes `item` (...)."""
    height, width = points.shape[-2:]
    seen = face.long()
    cell, second = seen // 2, seen % 2
    top_left = item * (height * width) + cell // (width - 1) * width + cell % (width - 1)
    table = points.permute(0, 2, 3, 1).reshape(-1, 3)
    vertices = top_left + second, top_left + width, top_left + 1 + second * width
    return [table[vertex] for vertex in vertices]


def _depth_within(
    corners: Sequence[Sequence[Tensor]], x: Tensor, y: Tensor, empty: Tensor | None = None
) -> Tensor:
    """The depth at column x and row y of triangles; each corner is (column, row, depth).

    1 for `empty` triangles, all of whose numbers are 1.
    """
    (pu, pv, pz), (qu, qv, qz), (ru, rv, rz) = corners
    area = (qu - pu) * (rv - pv) - (qv - pv) * (ru - pu)
    if empty is not None:
        area = area.masked_fill(empty, 1)
    p = ((qu - x) * (rv - y) - (qv - y) * (ru - x)) / area
    q = ((ru - x) * (pv - y) - (rv - y) * (pu - x)) / area
    return 1 / (p / pz + q / qz + (1 - p - q) / rz)


def warp_to_view(image: Tensor, depth: Tensor, view: Tensor, supersample: int = 1) -> Tensor:
    """(B, C, S, S): a canonical `image` (B, C, H, W) seen from `view`, at `depth` (B, 1, S, S).

    `depth` is in the photo's view, with k by k points per pixel if `supersample` is k. Each point
    is moved to the canonical frame, and its colour sampled there.
    """
    size = image.shape[-1]
    where = project(move_back(unproject(depth, supersample), view), size)[:, :2]
    grid = (where / ((size - 1) / 2) - 1).permute(0, 2, 3, 1)
    return grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def warp_to_canonical(photo: Tensor, depth: Tensor, view: Tensor) -> Tensor:
    """(B, C, H, W): a `photo` (B, C, S, S) on the canonical face of `depth` (B, 1, H, W).

    Self-occluded parts of the face get the colours of the part in front of them.
    """
    size = photo.shape[-1]
    where = project(move(unproject(depth), view), size)[:, :2]
    grid = (where / ((size - 1) / 2) - 1).permute(0, 2, 3, 1)
    return grid_sample(photo, grid, mode="bilinear", padding_mode="border", align_corners=True)


def covered(depth: Tensor) -> Tensor:
    """(B, 1, S, S): 1 where a surface was rendered, else 0. Passes no gradient."""
    return (depth < BACKGROUND).to(depth.dtype)


def normals_in_view(face: Face, depth: Tensor) -> Tensor:
    """(B, 3, S, S): the face's normals turned by its view, at rendered `depth` (B, 1, S, S).

    Computed from the canonical depth, so they are clean at silhouettes, unlike normals from
    rendered depth. Pixels without a surface have (0, 0, -1).
    """
    seen = warp_to_view(normals(face.depth), depth, face.view)
    turned = torch.einsum("bij,bjhw->bihw", rotation(face.view[:, :3]), seen)
    facing = torch.zeros_like(turned)
    facing[:, 2] = -1
    return torch.where(covered(depth) > 0, normalize(turned, dim=1), facing)


def stretched(depth: Tensor, max_slope_deg: float) -> Tensor:
    """(B, 2 (H - 1) (W - 1)) bool: triangles that are steeper than this to the canonical rays.

    depth (B, 1, H, W); numbering as in `rasterize_grid`. At depth edges, as between a nose and the
    cheek behind it, stretched triangles would be visible as streaks from the side.
    """
    points = unproject(depth)
    p, q = points[..., :-1, :-1], points[..., :-1, 1:]
    r, s = points[..., 1:, :-1], points[..., 1:, 1:]
    first = cross(r - p, q - p), (p + q + r) / 3
    second = cross(r - q, s - q), (q + r + s) / 3
    cosines = [
        (normalize(across, dim=1, eps=1e-24) * normalize(ray, dim=1)).sum(1).abs()
        for across, ray in (first, second)
    ]
    return (torch.stack(cosines, -1) < math.cos(math.radians(max_slope_deg))).flatten(1)
