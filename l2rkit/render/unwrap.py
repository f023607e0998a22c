"""Unwraps a photo onto the canonical face, and computes which pixels of the face it shows."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..geometry import in_float32, move, normals, project, rotation, unproject
from .fastest import rasterize_fastest
from .warp import warp_depth, warp_to_canonical

# Visibility rises and falls linearly within these limits, so that it has no visible seams.
# Cosine to the camera: 0 up to the first, 1 from the second on. Depth behind the nearest surface: 1
# up to the first, 0 from the second on.
FACING = 0.1, 0.35
BEHIND = 0.003, 0.008


@dataclass(frozen=True, eq=False)
class Unwrapped:
    """A photo on the canonical face.

    colour (B, C, H, W): of the photo where each canonical pixel projects to; visible (B, 1, H, W)
    in [0, 1]: how well the photo shows this pixel of the face.
    """

    colour: Tensor
    visible: Tensor

    def mirrored(self) -> "Unwrapped":
        """The mirror image, which shows the other half of a symmetric face."""
        return Unwrapped(self.colour.flip(-1), self.visible.flip(-1))


def unwrap(photo: Tensor, depth: Tensor, view: Tensor) -> Unwrapped:
    """The photo (B, C, S, S) on the face of canonical depth (B, 1, H, W) in view (B, 6).

    Gradients reach the photo, depth and view through the colours; visibility passes none.
    """
    return Unwrapped(
        warp_to_canonical(photo, depth, view), visibility(depth, view, photo.shape[-1])
    )


@torch.no_grad()
@in_float32
def visibility(depth: Tensor, view: Tensor, size: int) -> Tensor:
    """(B, 1, H, W) in [0, 1]: visibility of depth (B, 1, H, W) in a photo `size` px wide.

    A pixel is visible if it is within the picture, faces the camera, and is not occluded (z-test
    against the rendered depth).
    """
    depth, view = depth.float(), view.float()
    column, row, z = project(move(unproject(depth), view), size).unbind(1)
    grid = torch.stack([column, row], -1) / ((size - 1) / 2) - 1
    nearest = warp_depth(depth, view, size, rasterize_fastest)
    nearest = grid_sample(nearest, grid, padding_mode="border", align_corners=True)
    behind = ramp(z[:, None] - nearest, *BEHIND)
    cosine = -torch.einsum("bj,bjhw->bhw", rotation(view[:, :3])[:, 2], normals(depth))[:, None]
    inside = ((grid.abs().amax(-1, keepdim=True) - 1) * (size - 1) / 2).permute(0, 3, 1, 2)
    return ramp(cosine, *FACING) * (1 - behind) * (1 - ramp(inside, 0, 1))


def ramp(value: Tensor, low: float, high: float) -> Tensor:
    """0 up to `low`, 1 from `high` on, linear in between."""
    return ((value - low) / (high - low)).clamp(0, 1)
