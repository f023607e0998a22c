"""From the photo to the canonical face, and what of the face the photo shows."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..geometry import in_float32, move, normals, project, rotation, unproject
from .fastest import rasterize_fastest
from .warp import warp_depth, warp_to_canonical

# All soft, so that no seam is drawn where visibility ends. Cosines to the camera from which a pixel
# begins to count, and counts whole; depths behind what hides it where counting begins to end, and
# has ended.
FACING = 0.1, 0.35
BEHIND = 0.003, 0.008


@dataclass(frozen=True, eq=False)
class Unwrapped:
    """A photo on the canonical face.

    colour (B, C, H, W): what the photo has where each canonical pixel projects to; visible
    (B, 1, H, W) in [0, 1]: how far the photo really shows it there.
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
    """(B, 1, H, W) in [0, 1]: how far a photo `size` px wide shows pixels of depth (B, 1, H, W).

    A pixel is seen that lies in the picture, faces the camera, and has nothing before it (z-test
    against the depth as rendered).
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
