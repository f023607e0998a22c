"""A prior on views and depth: heads turn about a fixed point."""

from torch import Tensor, nn

from ..ops.distributed import all_reduce_mean
from ..registry import LOSSES
from ..structures import PIVOT, Scene


@LOSSES.register_module()
class FixedPivot(nn.Module):
    """Half of the mean squared translation across the picture, in units of its spread.

    Ours, not the paper's: the negative logarithm of a normal distribution. A head that turns about
    a fixed point moves in the picture. A smaller turn of a deeper face, or one nearer to the point,
    and a translation look almost the same, so the distance of the face from the point is held to
    `arm`, too, in the same units. It is for photos whose camera stands still, not for aligned ones,
    which move each face to the middle.

    Args:
        weight: of the loss.
        spread: standard deviation of translations to the right and down, in scene units.
        arm: distance of the middle of the face from the point in scene units, mean over faces:
            0.064 is the mean of random synthetic heads. None leaves it open.
    """

    def __init__(
        self, weight: float = 1.0, spread: float = 0.003, arm: float | None = None
    ) -> None:
        super().__init__()
        self.weight, self.spread, self.arm = weight, spread, arm

    def forward(self, scene: Scene) -> Tensor:
        across = scene.face.view[:, 3:5] / self.spread
        off = across.square().mean()
        if self.arm is not None:
            reach = all_reduce_mean(arm(scene.face.depth).mean())
            off = off + ((reach - self.arm) / self.spread).square()
        return self.weight * 0.5 * off


def arm(depth: Tensor) -> Tensor:
    """(B,): how far the middle half of `depth` (B, 1, H, W) is in front of the turning point."""
    size = depth.shape[-1]
    middle = slice(size // 4, size - size // 4)
    return PIVOT[2] - depth[:, 0, middle, middle].mean((1, 2))
