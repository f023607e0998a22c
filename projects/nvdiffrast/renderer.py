"""A renderer by nvdiffrast, for NVIDIA GPUs."""

import torch
from torch import Tensor

from l2rkit.errors import PartError
from l2rkit.registry import RENDERERS
from l2rkit.render.grid import check_grid
from l2rkit.render.pytorch3d import mesh_of
from l2rkit.render.renderer import DepthRenderer

NEAR = 0.1  # the clip plane, in units of depth
_contexts: dict[torch.device, object] = {}


def rasterize_nvdiffrast(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the nearest triangle at each pixel centre, or -1.

    Arguments, numbering and rules are those of `l2rkit.render.rasterize_grid`; points lie on a GPU.

    Raises:
        PartError: nvdiffrast cannot be imported.
    """
    check_grid("rasterize_nvdiffrast", points, size, skip)
    try:
        import nvdiffrast.torch as dr
    except ImportError as error:
        raise PartError(
            f"NvdiffrastRenderer needs nvdiffrast, which cannot be imported ({error})"
        ) from None
    points = points.detach().to(torch.float32)
    device, (batch, height, width, _) = points.device, points.shape
    empty = torch.full((batch, size, size), -1, dtype=torch.int32, device=device)
    table, corners, drawn = mesh_of(points, skip)
    counts = drawn.sum(1)
    if not counts.sum():
        return empty
    item, number = drawn.nonzero(as_tuple=True)
    triangles = (corners[number] + item[:, None] * height * width).to(torch.int32)
    starts = counts.cumsum(0) - counts
    ranges = torch.stack([starts, counts], 1).to("cpu", torch.int32)
    frame = (
        -(-size // 8) * 8
    )  # CUDA contexts require multiples of 8; what is beyond is cut off again
    if device not in _contexts:
        _contexts[device] = dr.RasterizeCudaContext(device)
    clip = to_clip(table, frame).flatten(0, 1)
    seen, _ = dr.rasterize(
        _contexts[device], clip, triangles, (frame, frame), ranges=ranges, grad_db=False
    )
    triangle = seen[:, :size, :size, 3].long() - 1  # numbered from 1; 0 is the background
    return torch.where(triangle >= 0, number[triangle.clamp(min=0)], -1).to(torch.int32)


def to_clip(points: Tensor, size: int) -> Tensor:
    """(..., 4): points (column, row, depth) in the clip space of a picture `size` wide.

    Row 0 is at y = -1, as nvdiffrast's pictures begin at the bottom; w is the depth, so that
    nvdiffrast's interpolation is perspective-correct.
    """
    column, row, depth = points.nan_to_num(0, 0, 0).unbind(-1)
    x, y = ((2 * line + 1) / size - 1 for line in (column, row))
    return torch.stack([x * depth, y * depth, depth - 2 * NEAR, depth], -1).contiguous()


@RENDERERS.register_module()
class NvdiffrastRenderer(DepthRenderer):
    """By nvdiffrast's rasterizer, which must be installed; the same pictures as `GridRenderer`."""

    rasterize = staticmethod(rasterize_nvdiffrast)
