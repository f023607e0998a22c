"""A prior on views: heads turn about a fixed point."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class FixedPivot(nn.Module):
    """Half of the mean squared translation across the picture, in units of its spread.

    Ours, not the paper's: the negative logarithm of a normal distribution. A head that turns about
    a fixed point moves in the picture; a smaller turn and a translation look almost the same. It is
    for photos whose camera stands still, not for aligned ones, which move each face to the middle.
    `DepthLevel` gives faces the right distance from the point.

    Args:
        weight: of the loss.
        spread: standard deviation of translations to the right and down, in scene units.
    """

    def __init__(self, weight: float = 1.0, spread: float = 0.003) -> None:
        super().__init__()
        self.weight, self.spread = weight, spread

    def forward(self, scene: Scene) -> Tensor:
        across = scene.face.view[:, 3:5] / self.spread
        return self.weight * 0.5 * across.square().mean()
