"""Error of the predicted albedo."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor

from ..render.warp import warp_to_view
from ..structures import Scene
from .figures import ImageFigures
from .masks import common_mask, known
from .photo import decibels, squared_error, ssim


def gained(colour: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B, 3, H, W): `colour` times one factor per image, fitted to `truth`.

    Least squares over the mask (B, 1, H, W), one factor for all three colours.
    """
    both = (colour * truth * mask).sum((1, 2, 3), keepdim=True)
    own = (colour * colour * mask).sum((1, 2, 3), keepdim=True)
    return colour * (both / own.clamp(min=1e-12))


def nearness(colour: Tensor, truth: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """PSNR in dB over the mask (B,), and SSIM (B,) of the `gained` colour laid over the truth.

    Both are NaN where the mask is empty.
    """
    laid = torch.lerp(truth, gained(colour, truth, mask), mask)
    alike = known(ssim(laid, truth), mask.sum((1, 2, 3)))
    return decibels(squared_error(laid, truth, mask)), alike


@METRICS.register_module()
class AlbedoErrors(ImageFigures):
    """PSNR in dB and SSIM of the albedo, in the photo's view, where both have a face. Ours.

    The predicted albedo is canonical, and there is no truth in the frame that a method chose. So it
    is rendered in the photo's view under ambient light of 1, and compared with the batch's
    `albedo`, which is in that view, over the pixels of `DepthErrors`. Errors of geometry and view
    count, too. Light and albedo are ambiguous up to a factor, so one factor per image is fitted
    first.

    Pixels outside count as correct for SSIM. `photo_` are the same figures of the photo itself,
    taken as albedo.
    """

    names = ("albedo_psnr", "albedo_ssim", "photo_albedo_psnr", "photo_albedo_ssim")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth, solid = (data_batch[key].cpu().float() for key in ("albedo", "depth"))
        photo = data_batch["photo"].cpu().float()
        (scene,) = data_samples
        face, depth = scene.face, scene.rendering.depth
        drawn = warp_to_view(face.albedo, depth, face.view).detach().cpu().float()
        mask = common_mask(depth.detach().cpu().float(), solid)
        self.add(*nearness(drawn, truth, mask), *nearness(photo, truth, mask))
