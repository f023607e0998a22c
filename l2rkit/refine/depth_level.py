"""The distance of faces from the point about which they turn. Ours."""

from dataclasses import replace

from torch import Tensor, nn

from ..registry import REFINERS
from ..structures import FAR, NEAR, PIVOT, Face


@REFINERS.register_module()
class DepthLevel(nn.Module):
    """Moves each face along the camera's axis, so that its middle is `arm` before the pivot.

    A frontal photo hardly shows this distance, and no error of depth counts it; but it says how far
    a turn moves the face in the picture.

    Args:
        arm: scene units; 0.064 is the mean of random synthetic heads, one number that comes from
            3D and not from photos.
    """

    def __init__(self, arm: float = 0.064) -> None:
        super().__init__()
        self.arm = arm

    def forward(self, face: Face, photo: Tensor) -> Face:
        """The face with its depth moved; `photo` is ignored."""
        off = (arm(face.depth) - self.arm)[:, None, None, None]
        return replace(face, depth=(face.depth + off).clamp(NEAR, FAR))


def arm(depth: Tensor) -> Tensor:
    """(B,): how far the middle half of `depth` (B, 1, H, W) is before the pivot, mean over it."""
    size = depth.shape[-1]
    middle = slice(size // 4, size - size // 4)
    return PIVOT[2] - depth[:, 0, middle, middle].mean((1, 2))
