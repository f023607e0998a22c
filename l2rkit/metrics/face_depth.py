"""Depth errors inside the face, without ears and neck."""

from collections.abc import Sequence

from mmengine.registry import METRICS

from ..landmarks.region import face_region
from ..structures import Scene
from .depth import mad, side
from .figures import ImageFigures
from .masks import common_mask, inner, known


@METRICS.register_module()
class FaceDepthErrors(ImageFigures):
    """SIDE x 100 and MAD in degrees within the outline of the clean photo's landmarks.

    As `DepthErrors`, on fewer pixels; `landmarks_3d` (B, 468, 3) px of the batch give the region.
    NaN where prediction, truth and region have no pixel in common.
    """

    names = ("face_side", "face_mad")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth = data_batch["depth"].cpu().float()
        (scene,) = data_samples
        depth = scene.rendering.depth.detach().cpu().float()
        region = face_region(data_batch["landmarks_3d"], truth.shape[-1]).cpu().float()
        mask = common_mask(depth, truth) * inner(region)
        there = mask.sum((1, 2, 3))
        found = (side(depth, truth, mask) * 100, mad(depth, truth, mask))
        self.add(*(known(value, there) for value in found))
