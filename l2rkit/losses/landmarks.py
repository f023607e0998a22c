"""Distillation of pose and depth from landmarks of the clean photo."""

import torch
from torch import Tensor, nn

from ..errors import PartError
from ..landmarks.pose import canonical_points
from ..landmarks.surface import canonical_depth
from ..ops.masked import masked_mean
from ..ops.resize import aligned
from ..registry import LOSSES
from ..structures import Scene


@LOSSES.register_module()
class LandmarkDistillation(nn.Module):
    """Mean absolute differences of view and canonical depth from those of landmarks. Ours.

    The scene's `landmarks` are those of the clean photo, found by `FindLandmarks`. The target is
    the view and depth that `FaceMeshDecomposer` computes from them.

    Raises PartError if the scene has none.

    Args:
        view: weight of the view, equal for its six numbers.
        depth: weight of depth inside the face.
        outside: weight of depth outside it, where the target is a smooth continuation.
        slope: weight of depth differences between neighbouring pixels inside the face.
        size: px of the depth map made from the landmarks, before it is resized.
    """

    supervision = ("keypoint",)

    def __init__(
        self,
        view: float = 10.0,
        depth: float = 100.0,
        outside: float = 30.0,
        slope: float = 0.0,
        size: int = 64,
    ) -> None:
        super().__init__()
        self.size = size
        self.view, self.depth, self.outside, self.slope = view, depth, outside, slope

    def forward(self, scene: Scene) -> Tensor:
        if scene.landmarks is None:
            raise PartError(
                "LandmarkDistillation requires landmarks: add FindLandmarks to the pipeline"
            )
        face, photo = scene.face, scene.target
        with torch.no_grad():
            view, points = canonical_points(scene.landmarks.double(), photo.shape[-1])
            depth, region = canonical_depth(points.float(), self.size)
            depth, region = aligned(depth, face.size), aligned(region, face.size)
        off = face.depth - depth
        loss = self.view * (face.view - view.float()).abs().mean()
        loss = loss + self.depth * masked_mean(off.abs(), region)
        loss = loss + self.outside * (off.abs() * (1 - region)).mean()
        if self.slope:
            for dim in (-1, -2):
                both = region.unfold(dim, 2, 1).prod(-1)
                loss = loss + self.slope * masked_mean(off.diff(dim=dim).abs(), both)
        return loss
