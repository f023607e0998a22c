"""A photo's own face against the one that all photos of its person share."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class RelaxedConsistency(nn.Module):
    """Each photo's depth and albedo stay near those of the person, save where they do not.

    LAP's idea (Zhang et al., CVPR 2021) in a form that is ours: the paper's equation is not known
    here. Distances count by `relaxed`, per pixel: what is far off, such as an open mouth, is let go
    and costs 1 at most, while the rest is drawn together, both ways, so that the shared face
    becomes what most photos agree on. 0 where faces carry no shared face.

    Args:
        weight: factor of the whole.
        depth: distance at which depth costs one half, in units of depth.
        albedo: the same of colours in [0, 1], mean over the channels.
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
