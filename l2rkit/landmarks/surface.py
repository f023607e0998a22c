"""Canonical depth maps of the surface through landmarks."""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

from ..geometry import focal, normals
from ..ops.masked import masked_blur
from ..render.mesh_raster import rasterize_mesh, vertex_normals
from ..structures import FAR, NEAR
from .points import LIPS, MEAN_FACE, MOUTH, TRIANGLES
from .pose import project_points

RIM = 0.7 * FAR + 0.3 * NEAR  # depth of the outermost columns, as in Unsup3D's training
STEEPEST_DEG = 72.0  # steeper surfaces have too few pixels in a depth map
COARSEST, SWEEPS = 8, 24  # px; relaxations at each size
ROUNDNESS = 0.75  # share of the curved surface, as published; the rest is the flat triangle
LARGEST_BULGE = 0.004  # in depth; beside the nose, tangent planes are unreliable
FAIRING = 0.7 / 128  # standard deviation of the blur of `fair_depth`, in widths of the map; ours


def _beside_the_mouth() -> np.ndarray:
    """The point of the lips next to each point of `MOUTH`, not of `MOUTH` itself."""
    others = np.setdiff1d(LIPS, MOUTH)
    apart = np.linalg.norm(MEAN_FACE[MOUTH][:, None] - MEAN_FACE[others], axis=-1)
    return others[apart.argmin(1)]


BESIDE_MOUTH = _beside_the_mouth()


def mesh_depth(points: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """depth and region (B, 1, size, size) of the surface through canonical points (B, 468, 3).

    The surface is curved between the points, see `curved`. The region is 1 where the canonical view
    shows it, else 0; depth is `RIM` outside the region. Passes no gradient.
    """
    space = points.detach().cpu().double().numpy()
    corners = project_points(torch.from_numpy(space), size).numpy()
    maps = np.stack([curved(*pair, size) for pair in zip(space, corners)])
    depth = torch.from_numpy(maps)[:, None].to(points)
    region = depth.isfinite().to(depth.dtype)
    return torch.where(region > 0, depth, RIM), region


@lru_cache(maxsize=8)
def mean_face_region(size: int) -> Tensor:
    """(1, 1, size, size): 1 where a canonical map shows the mean face, else 0. Do not change it."""
    with torch.inference_mode(False):  # it is kept
        return mesh_depth(torch.from_numpy(MEAN_FACE)[None], size)[1].float()


def curved(space: np.ndarray, corners: np.ndarray, size: int) -> np.ndarray:
    """(size, size): depth of the face's triangles, curved; infinite outside them.

    space (468, 3): the points; corners (468, 3): the same projected, in px and depth. Phong
    tessellation (Boubekeur and Alexa, SIGGRAPH Asia 2008) blends the flat triangle with the tangent
    planes at its corners, by barycentric weights. Ours intersects the planes with the pixel's ray
    and limits the difference to `LARGEST_BULGE`. The surface passes through the points.
    """
    triangles = TRIANGLES.astype(np.int64)
    face, weights, depth = rasterize_mesh(corners, triangles, size)
    row, column = np.nonzero(face >= 0)
    flat, share = depth[row, column], weights[row, column]
    across = (np.stack([column, row], 1) - (size - 1) / 2) / focal(size)
    ray = np.column_stack([across, np.ones(len(row))])
    corner = triangles[face[row, column]]  # (P, 3)
    normal = vertex_normals(space, triangles)[corner]
    reach = (normal * space[corner]).sum(-1)
    along = (normal * ray[:, None]).sum(-1)
    plane = reach / np.where(np.abs(along) < 1e-3, -1e-3, along)
    bulge = (plane - flat[:, None]).clip(-LARGEST_BULGE, LARGEST_BULGE)
    depth[row, column] = flat + ROUNDNESS * (share * bulge).sum(1)
    return depth


def canonical_depth(points: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Canonical depth (B, 1, size, size) through points (B, 468, 3), and the region (B, 1, ...).

    Outside the region, and where the surface is steeper than `STEEPEST_DEG`, depth is extrapolated
    smoothly, to `RIM` at the left and right of the picture; see `continued`.
    """
    depth, region = mesh_depth(points, size)
    flat = (-normals(depth)[:, 2:] > math.cos(math.radians(STEEPEST_DEG))).to(depth.dtype)
    sure = -max_pool2d(-region * flat, 3, 1, 1)  # with all neighbours
    return continued(depth, sure).clamp(NEAR, FAR), region


def fair_depth(points: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """As `canonical_depth`, but a smooth surface, which looks right in any light.

    Folds at the edges of triangles are no detail of a face, as its points are some 5 px of 128
    apart; a blur by `FAIRING` removes them. Where the lips meet they turn inwards within a pixel,
    more than a depth map can show, and end in teeth: there they keep the depth beside the mouth.
    """
    points = points.clone()
    points[:, MOUTH, 2] = points[:, BESIDE_MOUTH, 2]
    depth, region = canonical_depth(points, size)
    return masked_blur(depth, torch.ones_like(depth), FAIRING * size), region


def continued(depth: Tensor, known: Tensor) -> Tensor:
    """(B, 1, S, S): depth (B, 1, S, S) where `known` is 1, extrapolated elsewhere.

    The extrapolation solves Laplace's equation by relaxation, from coarse to fine. It is `RIM`
    beyond the left and right edge; the top and bottom edge are free, as a face may reach them.
    """
    if depth.shape[-1] > COARSEST:
        weight = avg_pool2d(known, 2)
        half = avg_pool2d(depth * known, 2) / weight.clamp(min=1e-6)
        begin = continued(torch.where(weight > 0, half, RIM), (weight > 0).to(depth.dtype))
        begin = interpolate(begin, size=depth.shape[2:], mode="bilinear")
    else:
        begin = torch.full_like(depth, RIM)
    film = torch.where(known > 0, depth, begin)
    for _ in range(SWEEPS):
        wide = pad(pad(film, (0, 0, 1, 1), mode="replicate"), (1, 1, 0, 0), value=RIM)
        across, along = wide[..., 1:-1, :], wide[..., 1:-1]
        mean = across[..., 2:] + across[..., :-2] + along[..., 2:, :] + along[..., :-2, :]
        film = torch.where(known > 0, depth, mean / 4)
    return film
