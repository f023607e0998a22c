"""A prior on depth: shallow faces."""

from torch import Tensor, nn

from ..registry import LOSSES
from ..structures import FAR, NEAR, Scene


@LOSSES.register_module()
class DepthVariance(nn.Module):
    """The variance of canonical depth within a face, in units of the depth range.

    Ours, not the paper's. A deep face turned a little looks almost like a shallow one turned a lot
    (the bas-relief ambiguity); early in training views are too small, and so faces too deep.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        variance = scene.face.depth.flatten(1).var(1, correction=0)
        return self.weight * variance.mean() / (FAR - NEAR) ** 2
