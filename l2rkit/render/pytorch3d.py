"""Rasterizes grid meshes with PyTorch3D, an optional dependency, as `rasterize_grid` does."""

import torch
from torch import Tensor

from ..errors import PartError
from ..geometry import grid_triangles
from .grid import check_grid

MARGIN = 1e-4  # px; allowed distance of a pixel centre from a triangle, for rounding at corners


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
    table, corners, drawn = mesh_of(points, skip)
    # PyTorch3D's x points left and its y up; the picture spans -1..1 from edge to edge.
    across = 1 - (2 * table[..., :2] + 1) / size
    vertices = torch.cat([across, table[..., 2:]], -1).nan_to_num(0, 0, 0)
    kept = [row.nonzero(as_tuple=True)[0] for row in drawn]
    if not sum(map(len, kept)):
        return torch.full((len(points), size, size), -1, dtype=torch.int32, device=points.device)
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


def mesh_of(points: Tensor, skip: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of grids (B, H, W, 3) as general meshes.

    Returns vertices (B, H W, 3), the vertices of each triangle (T, 3), and the mask (B, T) of
    triangles to draw: finite, in front of the camera, and not skipped.
    """
    table = points.flatten(1, 2)
    corners = grid_triangles(*points.shape[1:3]).to(points.device)
    drawn = (table.isfinite().all(-1) & (table[..., 2] > 0))[:, corners].all(-1)
    return table, corners, drawn if skip is None else drawn & ~skip
