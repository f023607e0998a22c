"""Angles between predicted and true normals."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS

from ..errors import DataError
from ..render.warp import normals_in_view
from ..structures import Scene
from .figures import ImageFigures

WITHIN_DEG = (20, 25, 30)


@METRICS.register_module()
class NormalErrors(ImageFigures):
    """Angle between predicted and true normals in the photo's view: mean, and shares below a bound.

    `normal_mad` in degrees; `within_20` and so on, the share of pixels whose angle is less, as
    methods report on Photoface (SfSNet, Sengupta et al., CVPR 2018); `normal_coverage`, the share
    of true normals that was compared. The batch's `normal` (B, 3, H, W) is the truth where its
    `mask` is 1 and the face was rendered. The face's normals are those of its canonical depth,
    turned.

    Raises:
        DataError: on some photo no true normal was compared.
    """

    names = ("normal_mad", *(f"within_{angle}" for angle in WITHIN_DEG), "normal_coverage")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth, known = (data_batch[key].cpu().float() for key in ("normal", "mask"))
        (scene,) = data_samples
        normal = normals_in_view(scene.face, scene.rendering.depth).detach().cpu().float()
        mask = known * scene.rendering.mask.detach().cpu().float()
        count = mask.sum((1, 2, 3))
        if not (count > 0).all():
            raise DataError("NormalErrors: a photo has no true normal where its face was rendered")
        angle = (normal * truth).sum(1, keepdim=True).clamp(-1, 1).acos().rad2deg()
        mean = torch.where(mask > 0, angle, 0).sum((1, 2, 3)) / count
        shares = [((angle < bound) * mask).sum((1, 2, 3)) / count for bound in WITHIN_DEG]
        self.add(mean, *shares, count / known.sum((1, 2, 3)))
