"""Renderers of depth maps: a rasterizer, inverse warp, Lambertian shading."""

from dataclasses import replace

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from ..geometry import normals
from ..registry import RENDERERS
from ..structures import BACKGROUND, Face, Rendering
from .fastest import rasterize_fastest
from .pytorch3d import rasterize_pytorch3d
from .shading import shade
from .triangles import rasterize_torch
from .triton import rasterize_triton
from .warp import Rasterizer, covered, stretched, warp_depth, warp_to_view


class DepthRenderer(nn.Module):
    """Renders a face in its view. Subclasses differ only in their rasterizer.

    Passes gradients to depth, albedo, light and view, but not through silhouettes: the triangle of
    each pixel is treated as constant. A face with a depth or view that is not finite gives a
    picture of NaN, visible to losses and metrics, and does not affect the rest of its batch.

    Args:
        size: pixels of the picture; by default those of the face's maps.
        supersample: k by k points per pixel are rendered and averaged. The mask has the wholly
            covered pixels.
        max_slope_deg: drops triangles steeper than this to the canonical rays; by default none. 80
            removes the streaks at depth edges in views from the side.

    Raises:
        ValueError: maps of fewer than 2 pixels.
    """

    rasterize: Rasterizer

    def __init__(
        self, size: int | None = None, supersample: int = 1, max_slope_deg: float | None = None
    ) -> None:
        super().__init__()
        if size is not None and size < 2:
            raise ValueError(f"{type(self).__name__} renders 2 pixels or more, not size={size}")
        if supersample < 1:
            raise ValueError(f"{type(self).__name__} expects a supersample of 1 or more")
        self.size, self.supersample, self.max_slope_deg = size, supersample, max_slope_deg

    def forward(self, face: Face) -> Rendering:
        if face.size < 2:
            name = type(self).__name__
            raise ValueError(f"{name} expects maps of at least 2 pixels, not {face.size}")
        wrong = ~(face.depth.flatten(1).isfinite().all(1) & face.view.isfinite().all(1))
        on_cpu = wrong.device.type == "cpu"
        if on_cpu and not wrong.any():  # on a GPU the host would wait for the result
            return self._rendered(face)
        depth = torch.where(wrong[:, None, None, None], 1.0, face.depth)
        drawn = self._rendered(
            replace(face, depth=depth, view=torch.where(wrong[:, None], 0.0, face.view))
        )
        nothing = wrong[:, None, None, None], float("nan")
        return replace(
            drawn, image=drawn.image.masked_fill(*nothing), depth=drawn.depth.masked_fill(*nothing)
        )

    def _rendered(self, face: Face) -> Rendering:
        size, k = self.size or face.size, self.supersample
        skip = None
        if self.max_slope_deg is not None:
            skip = stretched(face.depth.detach(), self.max_slope_deg)
        depth = warp_depth(face.depth, face.view, size, self.rasterize, k, skip)
        canonical = shade(face.albedo, normals(face.depth), face.light)
        image = warp_to_view(canonical, depth, face.view, k)
        return averaged(Rendering(image, covered(depth), depth), k)


def averaged(fine: Rendering, supersample: int) -> Rendering:
    """The average of a rendering with k by k points per pixel; its mask has covered pixels only."""
    if supersample == 1:
        return fine
    mask = (avg_pool2d(fine.mask, supersample) > 1 - 0.5 / supersample**2).to(fine.mask.dtype)
    depth = torch.where(mask > 0, avg_pool2d(fine.depth, supersample), BACKGROUND)
    return Rendering(avg_pool2d(fine.image, supersample), mask, depth)


@RENDERERS.register_module()
class GridRenderer(DepthRenderer):
    """The default renderer, with the rasterizer that `rasterizer_for` chooses for the device."""

    rasterize = staticmethod(rasterize_fastest)


@RENDERERS.register_module()
class TorchRenderer(DepthRenderer):
    """Renders with `rasterize_torch`, on any device. Gives the same pictures as `GridRenderer`."""

    rasterize = staticmethod(rasterize_torch)


@RENDERERS.register_module()
class PyTorch3DRenderer(DepthRenderer):
    """Renders with PyTorch3D, if installed. Gives the same pictures as `GridRenderer`."""

    rasterize = staticmethod(rasterize_pytorch3d)


@RENDERERS.register_module()
class TritonRenderer(DepthRenderer):
    """Renders with a Triton kernel, on GPUs. Gives the same pictures as `GridRenderer`."""

    rasterize = staticmethod(rasterize_triton)
