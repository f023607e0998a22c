"""A prior on views: their mean is frontal."""

from torch import Tensor, nn

from ..ops.distributed import all_reduce_mean
from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class ZeroMeanPose(nn.Module):
    """The squared mean of the batch's rotations, in radians.

    Ours, not the paper's. It keeps small networks from predicting the end of the range for every
    face.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        turn = all_reduce_mean(scene.face.view[:, :3].mean(0))
        return self.weight * turn.square().sum()
