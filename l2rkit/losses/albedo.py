"""Priors on albedo."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import Scene
from .displacement import variation


@LOSSES.register_module()
class AlbedoRegularity(nn.Module):
    """Difference of albedo from its mirror image, and between neighbouring pixels. Ours.

    Args:
        symmetry, smoothness: weights of the two.
    """

    def __init__(self, symmetry: float = 0.1, smoothness: float = 0.0) -> None:
        super().__init__()
        self.symmetry, self.smoothness = symmetry, smoothness

    def forward(self, scene: Scene) -> Tensor:
        albedo = scene.face.albedo
        lopsided = (albedo - albedo.flip(-1)).abs().mean()
        return self.symmetry * lopsided + self.smoothness * variation(albedo)
