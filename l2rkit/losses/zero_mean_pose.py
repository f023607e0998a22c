"""What is known of views before any photo is seen."""

from torch import Tensor, nn

from ..ops.distributed import all_reduce_mean
from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class ZeroMeanPose(nn.Module):
    """The square of the batch's mean turn, in radians: photos look both ways in equal measure.

    Ours, not the paper's. It keeps a small network from putting every face at the end of the range.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        turn = all_reduce_mean(scene.face.view[:, :3].mean(0))
        return self.weight * turn.square().sum()
