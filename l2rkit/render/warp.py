"""From canonical maps to the photo's view and back: depth by rasterizing, colour by sampling.

Unsup3D renders only depth as a mesh and fetches colour by an inverse warp, because gradients of
rendered textures are noisy (Wu et al., CVPR 2020, section 3.2). So do we; pixel centres are at
integers on both ways, hence an unmoved face comes back exactly.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import grid_sample

from ..face import BACKGROUND, NEAR
from ..geometry import move, move_back, project, unproject

Rasterizer = Callable[[Tensor, int], Tensor]

CLOSEST = NEAR - 0.1  # nothing is rendered nearer to the camera than this


def warp_depth(depth: Tensor, view: Tensor, size: int, rasterize: Rasterizer) -> Tensor:
    """(B, 1, size, size): canonical `depth` (B, 1, H, W) seen from `view` (B, 6).

    `BACKGROUND` where nothing is seen. Gradients reach depth and view through the covered pixels.
    """
    points = project(move(unproject(depth), view), size)
    face = rasterize(points.permute(0, 2, 3, 1), size)
    return depth_of_faces(points, face).clamp(CLOSEST, BACKGROUND)


def depth_of_faces(points: Tensor, face: Tensor) -> Tensor:
    """(B, 1, S, S): perspective-correct depth, 1 / sum(w / z), at the centres of covered pixels.

    points (B, 3, H, W) are column, row, depth; face (B, S, S) as `rasterize_grid` gives it.
    `BACKGROUND` where face is -1.
    """
    height, width = points.shape[-2:]
    item, y, x = (face >= 0).nonzero(as_tuple=True)
    seen = face[item, y, x].long()
    cell, second = seen // 2, seen % 2
    top_left = item * (height * width) + cell // (width - 1) * width + cell % (width - 1)
    corners = top_left + second, top_left + width, top_left + 1 + second * width
    table = points.permute(0, 2, 3, 1).reshape(-1, 3)
    (pu, pv, pz), (qu, qv, qz), (ru, rv, rz) = (table[corner].unbind(1) for corner in corners)
    area = (qu - pu) * (rv - pv) - (qv - pv) * (ru - pu)
    p = ((qu - x) * (rv - y) - (qv - y) * (ru - x)) / area
    q = ((ru - x) * (pv - y) - (rv - y) * (pu - x)) / area
    depth = 1 / (p / pz + q / qz + (1 - p - q) / rz)
    empty = points.new_full(face.shape, BACKGROUND)
    return empty.index_put((item, y, x), depth)[:, None]


def sample_canonical(image: Tensor, depth: Tensor, view: Tensor) -> Tensor:
    """(B, C, S, S): a canonical `image` (B, C, H, W) as it appears at `depth` (B, 1, S, S).

    `depth` is in the photo's view; each pixel is carried back by `view` and looked up.
    """
    size = image.shape[-1]
    where = project(move_back(unproject(depth), view), size)[:, :2]
    grid = (where / ((size - 1) / 2) - 1).permute(0, 2, 3, 1)
    return grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def covered(depth: Tensor) -> Tensor:
    """(B, 1, S, S): 1 where a surface was rendered, else 0. Passes no gradient."""
    return (depth < BACKGROUND).to(depth.dtype)
