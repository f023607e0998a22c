"""The same answer as `rasterize_grid` from PyTorch3D, an optional dependency."""

import torch
from torch import Tensor

from ..errors import PartError
from .grid import check_grid

MARGIN = 1e-4  # pixels by which a pixel centre may miss a triangle: rounding at shared corners


def rasterize_pytorch3d(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the nearest triangle at each pixel centre, or -1.

    Arguments, numbering and rules are those of `rasterize_grid`.

    Raises:
        PartError: PyTorch3D cannot be imported.
    """
    check_grid("rasterize_pytorch3d", points, size, skip)
    try:
        from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
        from pytorch3d.structures import Meshes
    except ImportError as error:
        raise PartError(
            f"PyTorch3DRenderer needs PyTorch3D, which cannot be imported ({error}); "
            "GridRenderer renders the same without it"
        ) from None
    points = points.detach().to(torch.float32)
    batch, height, width, _ = points.shape
    table = points.flatten(1, 2)
    corners = grid_corners(height, width, points.device)
    drawn = (table.isfinite().all(-1) & (table[..., 2] > 0))[:, corners].all(-1)
    if skip is not None:
        drawn &= ~skip
    # PyTorch3D's x points left and its y up; the picture spans -1..1 from edge to edge.
    across = 1 - (2 * table[..., :2] + 1) / size
    vertices = torch.cat([across, table[..., 2:]], -1).nan_to_num(0, 0, 0)
    kept = [row.nonzero(as_tuple=True)[0] for row in drawn]
    if not sum(map(len, kept)):
        return torch.full((batch, size, size), -1, dtype=torch.int32, device=points.device)
    meshes = Meshes(list(vertices), [corners[row] for row in kept])
    face, *_ = rasterize_meshes(
        meshes,
        image_size=size,
        blur_radius=(2 * MARGIN / size) ** 2,
        faces_per_pixel=1,
        perspective_correct=True,
        cull_backfaces=False,
    )
    face, number = face[..., 0], torch.cat(kept)
    return torch.where(face >= 0, number[face.clamp(min=0)], -1).to(torch.int32)


def grid_corners(height: int, width: int, device: torch.device) -> Tensor:
    """(2 (H - 1) (W - 1), 3): vertices of each triangle, numbered as in `rasterize_grid`."""
    vertex = torch.arange(height * width, device=device).view(height, width)
    p, q, r, s = vertex[:-1, :-1], vertex[:-1, 1:], vertex[1:, :-1], vertex[1:, 1:]
    pairs = torch.stack([p, r, q], -1), torch.stack([q, r, s], -1)
    return torch.stack(pairs, 2).view(-1, 3)
