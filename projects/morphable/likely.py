"""How likely a face is before any photo is seen (MoFA, section 5: statistical regularisation)."""

from torch import Tensor, nn

from l2rkit.registry import LOSSES
from l2rkit.structures import Scene


@LOSSES.register_module()
class LikelyCodes(nn.Module):
    """The mean square of the face's coefficients, in standard deviations; 0 for the mean face.

    It is 0 too for a face that has none, as those of other decomposers.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        codes = getattr(scene.face, "codes", None)
        if codes is None:
            return scene.target.new_zeros(())
        return self.weight * codes.square().mean()
