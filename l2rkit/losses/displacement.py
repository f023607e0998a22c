"""A prior on displacement: small and smooth."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import FAR, NEAR, Scene


@LOSSES.register_module()
class Displacement(nn.Module):
    """Mean absolute displacement, and its differences between neighbours, in depth ranges. Ours.

    0 for a scene without displacement.

    Args:
        size, roughness: weights of the two.
    """

    def __init__(self, size: float = 1.0, roughness: float = 1.0) -> None:
        super().__init__()
        self.size, self.roughness = size, roughness

    def forward(self, scene: Scene) -> Tensor:
        displacement = scene.face.displacement
        if displacement is None:
            return scene.target.new_zeros(())
        share = displacement / (FAR - NEAR)
        return self.size * share.abs().mean() + self.roughness * variation(share)


def variation(maps: Tensor) -> Tensor:
    """Mean absolute difference of maps (B, C, H, W) between neighbours, along both axes."""
    across = (maps[..., :, 1:] - maps[..., :, :-1]).abs().mean()
    return across + (maps[..., 1:, :] - maps[..., :-1, :]).abs().mean()
