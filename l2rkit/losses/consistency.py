"""Consistency between each photo's face and its person's shared face."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class RelaxedConsistency(nn.Module):
    """Robust difference between each photo's depth and albedo and the person's shared ones.

    LAP's idea (Zhang et al., CVPR 2021) in our form, as we do not know the paper's equation. Pixels
    count by `relaxed`: a large difference, such as an open mouth, costs 1 at most, so the shared
    face becomes what most photos agree on. Gradients reach both faces. 0 without a shared face.

    Args:
        weight: of the loss.
        depth: difference of depth that costs one half.
        albedo: the same for colours in [0, 1], mean over the channels.
    """

    def __init__(self, weight: float = 1.0, depth: float = 0.01, albedo: float = 0.1) -> None:
        super().__init__()
        self.weight, self.depth, self.albedo = weight, depth, albedo

    def forward(self, scene: Scene) -> Tensor:
        face, shared = scene.face, scene.face.consistent
        if shared is None or not self.weight:
            return scene.target.new_zeros(())
        depth = (face.depth - shared.depth).abs()
        colour = (face.albedo - shared.albedo).abs().mean(1)
        total = relaxed(depth, self.depth).mean() + relaxed(colour, self.albedo).mean()
        return self.weight * total


def relaxed(distance: Tensor, half: float) -> Tensor:
    """d^2 / (d^2 + half^2): 0 at 0, 1/2 at `half`, 1 far off (Geman and McClure)."""
    square = distance.square()
    return square / (square + half**2)
