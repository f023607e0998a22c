"""A prior on pitch: faces stand upright."""

import math

import torch
from torch import Tensor, nn

from ..geometry import focal
from ..ops.distributed import all_reduce_mean
from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class PitchPrior(nn.Module):
    """Squared difference of the batch's mean tilt from that of an upright head.

    Ours, not the paper's. Symmetry does not fix pitch: a face that leans back, turned with a little
    roll to each yaw, looks almost the same.

    Args:
        weight: of the loss.
        lean_deg: the mean tilt of upright faces, in degrees. Nose and mouth stand out from the
            brows, so it is below 0: -6 is the mean of random synthetic heads, seen from ahead.
    """

    def __init__(self, weight: float = 1.0, lean_deg: float = 0.0) -> None:
        super().__init__()
        self.weight, self.lean_deg = weight, lean_deg

    def forward(self, scene: Scene) -> Tensor:
        off = all_reduce_mean(tilt(scene.face.depth).mean()) - math.tan(math.radians(self.lean_deg))
        return self.weight * off.square()


def tilt(depth: Tensor) -> Tensor:
    """(B,): tangent of the backward lean of the middle of `depth` (B, 1, H, W).

    Least squares over the middle half of rows and columns, brows to mouth: positive where depth
    grows downwards, so that the chin is behind.
    """
    size = depth.shape[-1]
    middle = slice(size // 4, size - size // 4)
    rows = depth[:, 0, middle, middle].mean(-1)
    y = torch.arange(size, dtype=depth.dtype, device=depth.device)[middle] - (size - 1) / 2
    return (rows * y).sum(-1) / y.square().sum() * focal(size)
