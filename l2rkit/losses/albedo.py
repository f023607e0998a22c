"""What is known of albedo before any photo is seen."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import Scene
from .displacement import variation


@LOSSES.register_module()
class AlbedoRegularity(nn.Module):
    """How far the albedo is from its mirror image, and how it varies between neighbours. Ours.

    Args:
        symmetry, smoothness: factors of the two.
    """

    def __init__(self, symmetry: float = 0.1, smoothness: float = 0.0) -> None:
        super().__init__()
        self.symmetry, self.smoothness = symmetry, smoothness

    def forward(self, scene: Scene) -> Tensor:
        albedo = scene.face.albedo
        lopsided = (albedo - albedo.flip(-1)).abs().mean()
        return self.symmetry * lopsided + self.smoothness * variation(albedo)
