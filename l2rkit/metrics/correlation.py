"""Correlation of predicted and true depth, independent of scale."""

from collections.abc import Sequence

from mmengine.registry import METRICS
from torch import Tensor

from ..structures import Scene
from .figures import ImageFigures
from .masks import common_mask, known


def correlation(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B,): Pearson's coefficient of depth and truth (B, 1, H, W) over the mask; 0 if flat.

    1 for any depth that differs from the true one by a positive factor and an offset only.
    """
    count = mask.sum((1, 2, 3), keepdim=True).clamp(min=1)

    def centred(value: Tensor) -> Tensor:
        value = value.double()
        return (value - (value * mask).sum((1, 2, 3), keepdim=True) / count) * mask

    x, y = centred(depth), centred(truth)
    length = (x.square().sum((1, 2, 3)) * y.square().sum((1, 2, 3))).sqrt()
    return ((x * y).sum((1, 2, 3)) / length.clamp(min=1e-12)).to(depth.dtype)


@METRICS.register_module()
class DepthCorrelation(ImageFigures):
    """Pearson's correlation of predicted and true depth, in the photo's view, on every image.

    Over the pixels of `DepthErrors`; NaN without any. Unsup3D (Wu et al., CVPR 2020) correlates
    depth at landmarks of 3DFAW; this is over all pixels of a photo, and ours.
    """

    names = ("correlation",)

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth = data_batch["depth"].cpu().float()
        (scene,) = data_samples
        depth = scene.rendering.depth.detach().cpu().float()
        mask = common_mask(depth, truth)
        self.add(known(correlation(depth, truth, mask), mask.sum((1, 2, 3))))
