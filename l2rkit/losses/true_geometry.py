"""Supervision by the true geometry of synthetic heads."""

from torch import Tensor, nn

from ..errors import PartError
from ..ops.masked import masked_mean
from ..registry import LOSSES
from ..render.warp import normals_in_view
from ..structures import Scene


@LOSSES.register_module()
class TrueGeometry(nn.Module):
    """Mean absolute differences of rendered depth and normals from the true ones.

    The scene's `truth` is that of a batch with `depth`, `normal` and `mask`. Pixels count where the
    mask is 1 and the face was rendered.

    Raises PartError if the scene has no truth.

    Args:
        depth: weight of the depth, whose range is a tenth of the normals'.
        normal: weight of the normals.
    """

    needs_rendering = True
    supervision = ("3D",)

    def __init__(self, depth: float = 30.0, normal: float = 1.0) -> None:
        super().__init__()
        self.depth, self.normal = depth, normal

    def forward(self, scene: Scene) -> Tensor:
        if scene.truth is None:
            raise PartError("TrueGeometry requires depth, normal and mask")
        own, truth = scene.rendering, scene.truth
        mask = truth.mask * (own.mask > 0.5)
        loss = self.depth * masked_mean((own.depth - truth.depth).abs(), mask)
        if self.normal:
            off = (normals_in_view(scene.face, own.depth) - truth.normal).abs().mean(1, True)
            loss = loss + self.normal * masked_mean(off, mask)
        return loss
