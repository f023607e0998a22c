"""Renderings without hair and background, which are smeared in side views."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..geometry import grid_triangles, normals
from ..render.fastest import rasterize_fastest
from ..render.shading import shade
from ..render.warp import covered, warp_depth, warp_to_view
from ..structures import BACKGROUND, Face, Rendering
from .region import face_level


class FaceAlone(nn.Module):
    """Renders the region of a face from `face_level`; the mask is soft at its rim.

    Passes no gradient. Meshes of the face end at the same line.

    Args:
        size: px of the picture.
        supersample: k by k points per pixel are rendered and averaged.
    """

    def __init__(self, size: int, supersample: int = 2) -> None:
        super().__init__()
        self.size, self.supersample = size, supersample

    @torch.no_grad()
    def forward(self, face: Face) -> Rendering:
        k, level = self.supersample, levels(face)
        corners = level.flatten(1)[:, grid_triangles(face.size, face.size).to(level.device)]
        outside = (corners < 0).all(-1)
        depth = warp_depth(face.depth, face.view, self.size, rasterize_fastest, k, outside)
        drawn = covered(depth) * (warp_to_view(level, depth, face.view, k) > 0)
        colour = warp_to_view(
            shade(face.albedo, normals(face.depth), face.light), depth, face.view, k
        )
        mask = avg_pool2d(drawn, k)
        share = mask.clamp(min=1 / k**2)
        return Rendering(
            avg_pool2d(colour * drawn, k) / share,
            mask,
            torch.where(mask > 0, avg_pool2d(depth * drawn, k) / share, BACKGROUND),
        )


def levels(face: Face) -> Tensor:
    """(B, 1, H, W): the `face_level` of each face."""
    maps, known = face.depth.detach().cpu().float().split(1), face.region is not None
    regions = face.region.cpu().split(1) if known else [None] * len(maps)
    found = [face_level(depth, region) for depth, region in zip(maps, regions)]
    return torch.from_numpy(np.stack(found))[:, None].to(face.depth)
